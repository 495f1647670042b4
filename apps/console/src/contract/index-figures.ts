/** An index that would help, or was built since it would. */
export interface RecommendationFigures {
  readonly id: string;
  readonly state: 'open' | 'applied' | 'kept' | 'dropped' | 'reverted' | 'failed' | 'obsolete';
  /** With its schema. */
  readonly table: string;
  readonly indexName: string;
  /** What is run. */
  readonly statement: string;
  /** Sentences: what it is for, and what the figures rest on. */
  readonly reasons: readonly string[];
  /** Planner cost of all calls that it serves, as things are. */
  readonly costBefore: number;
  /** With everything that is recommended. */
  readonly costAfter: number;
  /** Of the whole workload, estimated; 0 when no time is known. */
  readonly savedMs: number;
  /** Estimated; once it is built, measured. */
  readonly sizeBytes: number;
  /** What was decided last, and why. */
  readonly decision: string | null;
  /** Why a kept index should go. */
  readonly revertProposal: string | null;
}

/** What is wrong with an index, or with one that is missing. */
export interface IndexFindingFigures {
  readonly kind: string;
  readonly table: string;
  /** Null for one that is missing. */
  readonly index: string | null;
  readonly columns: readonly string[];
  readonly reason: string;
  /** What to look at before it is mended. */
  readonly caution: string | null;
  /** What mending frees; of a missing one, what it will take. */
  readonly sizeBytes: number;
  readonly scans: number;
  /** Mends it. */
  readonly statement: string;
}

/** The indexes of the database and what is advised about them. */
export interface IndexFigures {
  /** What rounds of the advisor do in the workers. */
  readonly mode: 'off' | 'recommend' | 'apply';
  /** ISO 8601; null before the first. */
  readonly lastRoundAt: string | null;
  readonly lastRoundOutcome: string | null;
  /** Open ones first. */
  readonly recommendations: readonly RecommendationFigures[];
  /** Null while nobody has looked yet. */
  readonly count: number | null;
  readonly sizeBytes: number | null;
  readonly findings: readonly IndexFindingFigures[];
  /** Why they are old or missing; null when they are not. */
  readonly problem: string | null;
}
