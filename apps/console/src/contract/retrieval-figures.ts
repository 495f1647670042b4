/** A way of answering, and what its answers of this process say of it. */
export interface RetrievalPlanFigures {
  readonly name: string;
  /** Times that it was chosen. */
  readonly chosen: number;
  /** Of those, to learn what it takes. */
  readonly explored: number;
  /** Of an answer, geometric mean of actual over predicted time; null while there are too few. */
  readonly actualToPredicted: number | null;
  /** Share of answers within half and twice the predicted time, 0 to 1; null while there are too few. */
  readonly withinFactorTwo: number | null;
  /** Its times no longer are what was learned; the plan is not chosen until they are learned anew. */
  readonly hasDrifted: boolean;
}

/** How long answers took beyond the best plan that was known, in the order of time. */
export interface RegretStep {
  /** ISO 8601. */
  readonly at: string;
  readonly queries: number;
  /** Mean of an answer, milliseconds: beyond the best prediction. */
  readonly regretMs: number;
  /** The same, had every answer taken what the safe plan is predicted to. */
  readonly fallbackRegretMs: number;
  /** Queries that tried a plan to learn what it takes. */
  readonly explored: number;
}

/** How certain answers of one embedding model have to be. */
export interface CalibrationFigures {
  readonly embedder: string;
  /** Standard deviations that a missed passage would have to stray by. */
  readonly z: number;
  /** True when `z` is what the compared answers needed; false when it is what was set, for lack of them. */
  readonly isLearned: boolean;
  /** Answers that were repeated by comparing everything. */
  readonly samples: number;
  /** Of those, answers that claimed to keep their floor of recall and did not. */
  readonly failures: number;
}

/** Hybrid retrieval of this process, and what its choice of plans has learned. */
export interface RetrievalFigures {
  /** False: every query is answered by the safe plan. */
  readonly isLearning: boolean;
  readonly decisions: number;
  /** Share of choices that were remembered, 0 to 1; null before the first. */
  readonly planCacheHitRatio: number | null;
  readonly modelVersion: number;
  readonly trainings: number;
  /** What came of the last training; null before the first. */
  readonly lastTraining: string | null;
  /** Time spent on trying plans, of what may be, milliseconds. */
  readonly exploration: { readonly spentMs: number; readonly budgetMs: number };
  readonly plans: readonly RetrievalPlanFigures[];
  /** The oldest first; empty before the first answers. */
  readonly regret: readonly RegretStep[];
  readonly calibration: readonly CalibrationFigures[];
}
