import { type ExplorationLease } from './exploration-budget.js';
import { type PlannedEntry } from './plan-cache.js';

/** What is to be planned. */
export interface PlanQuestion<Plan extends string> {
  /** What queries have in common that may share a plan: the schema, which filters, which mode; never values. */
  readonly shape: string;
  /** Coarse measures, such as logarithms of estimates: with the shape, what a plan is remembered by. */
  readonly buckets: readonly number[];
  /** In the order of the planner's `features`; finite. A `Float64Array` is kept as it is: do not write to it afterwards. */
  readonly features: ArrayLike<number>;
  /** Plans that may run. Leave out what cannot answer, and what must not be tried. */
  readonly allowed: readonly Plan[];
  /** One of `allowed`: what runs without a planner. */
  readonly fallback: Plan;
}

/** Why a plan was chosen. `untrained` and `out-of-domain`: the fallback, since nothing is known of such queries. */
export const PLAN_REASONS = ['fallback', 'gain', 'exploration', 'out-of-domain', 'untrained'] as const;
export type PlanReason = (typeof PLAN_REASONS)[number];

export interface PlanDecision<Plan extends string> {
  readonly plan: Plan;
  readonly fallback: Plan;
  /** Of the allowed plans of which something is known; of a remembered plan, those of the query that it was found for. */
  readonly predictedMs: Readonly<Partial<Record<Plan, number>>>;
  readonly reason: PlanReason;
  /** Whether it was remembered. */
  readonly cached: boolean;
  /** How likely this plan was to be chosen, above 0 to 1: what an evaluation of other policies needs. */
  readonly propensity: number;
  /** 0 without a model; a prior is 1. */
  readonly modelVersion: number;
  /** When to cancel a plan that is not the fallback, and run that; undefined for the fallback. Whole milliseconds. */
  readonly timeoutMs: number | undefined;
  /** For `record()`; of no use to others. */
  readonly trace: DecisionTrace;
}

/** How a decision ended. */
export interface PlanOutcome {
  /** Of the plan that was decided for alone, without a fallback that ran after it. */
  readonly durationMs: number;
  /** It was cancelled at the decision's timeout: takes longer, nobody knows how much. */
  readonly timedOut?: boolean;
  /** Its answer was not good enough, and had to be mended. */
  readonly missedFloor?: boolean;
}

/** A question by numbers: plans by their place in the planner's list, sets of plans as one bit each. */
export interface NumberedQuestion {
  readonly row: Float64Array;
  readonly allowed: number;
  readonly fallback: number;
}

/** What is kept of a decision until its end. */
export interface DecisionTrace {
  readonly question: NumberedQuestion;
  readonly plan: number;
  readonly entry: PlannedEntry;
  /** What the fallback should take, NaN when nobody knows. Milliseconds. */
  readonly fallbackMs: number;
  readonly lease: ExplorationLease | undefined;
  isRecorded: boolean;
}
