import { type Improvement, type WriteCost } from '../advisor/advice.js';
import { type IndexPlan } from '../index-builder/index-plan.js';

/**
 * `open`: it would help, and is not there. `applied`: it is being built, or the process that built it is gone before it had
 * measured. `kept`, `dropped`: built, and by what was measured it stayed or not. `reverted`: it had stayed, and was dropped
 * later. `failed`: it could not be built. `obsolete`: the workload does not ask for it any more, or what was kept is gone.
 */
export type RecommendationState =
  'open' | 'applied' | 'kept' | 'dropped' | 'reverted' | 'failed' | 'obsolete';

/** A statement that an index is for. */
export interface ServedQuery {
  /** Its fingerprint. */
  readonly statement: string;
  /** With `$n` in the place of constants. */
  readonly sql: string;
  /** As the workload counted them when the recommendation was made. */
  readonly calls: number;
  /** Of all calls together, milliseconds. */
  readonly totalMs: number;
  /** Planner cost of one call without the index, and with everything that was recommended. */
  readonly before: number;
  readonly after: number;
}

/** An index that a round has recommended, and what became of it. All processes see the same. */
export interface StoredRecommendation {
  /** Stable for the same index on the same table: 12 hex digits. */
  readonly id: string;
  readonly state: RecommendationState;
  readonly plan: IndexPlan;
  /** `CREATE INDEX CONCURRENTLY …`, for people. */
  readonly statement: string;
  /** Sentences for people: what it is for, and what the figures rest on. */
  readonly reasons: readonly string[];
  /** Estimated; `source` says by what. */
  readonly improvement: Improvement;
  /** Estimated; once it is built, as measured. */
  readonly sizeBytes: number;
  readonly buildMsEstimate: number;
  readonly writeCost: WriteCost;
  readonly serves: readonly ServedQuery[];
  /** What was decided last, and why: why it is not built yet, why it stayed, or not. Null before any decision. */
  readonly decision: string | null;
  readonly decidedAt: Date | null;
  /** Why a kept index should be reverted: it is not used. Null while nothing speaks against it. */
  readonly revertProposal: string | null;
  /** When a kept index was last seen to have been used since the round before; when it was built, if never. */
  readonly usedAt: Date | null;
  /** Of the newest entry in the ledger, null when it was never built. */
  readonly ledgerId: string | null;
  readonly firstSeenAt: Date;
  /** When a round recommended it last. */
  readonly lastSeenAt: Date;
}
