import { type RelationName } from '../analysis/relation-name.js';

/** One statement of the workload, as a log, pg_stat_statements or the tap of this library saw it. */
export interface WorkloadStatement {
  /** One SQL statement, with constants or with $1, $2, …. */
  readonly text: string;
  /**
   * Values for $1, $2, … of a typical call, as the driver takes them. Without them the advisor takes values from
   * pg_stats, and where there are none the generic plan.
   */
  readonly parameters?: readonly unknown[];
  readonly calls: number;
  /** Time of all calls together. 0 when it is not known: the planner's cost stands in for it. */
  readonly totalMs: number;
  /** What the caller calls it: a fingerprint, a file name. @default its place in the workload, from 1 */
  readonly id?: string;
}

export type Workload = readonly WorkloadStatement[];

export type IndexMethod = 'btree' | 'brin' | 'gin' | 'hash';

/**
 * Where figures come from: `hypopg` is the planner's cost with a hypothetical index; `sample-clone` is the planner's cost
 * with an index that was really built on a copy of the table (a sample where the table is large), in a transaction that was
 * rolled back; `built` is measured with the index in its place.
 */
export type EstimateSource = 'hypopg' | 'sample-clone' | 'built';

export interface Improvement {
  /** Sum of planner costs x calls over {@link Recommendation.serves}, as things are now. */
  readonly before: number;
  /** The same with this index and all others that are recommended: indexes of a join gain together or not at all. */
  readonly after: number;
  readonly source: EstimateSource;
  /** Milliseconds that the workload's calls would save, 0 where no time is known. An estimate: cost is not time. */
  readonly savedMs: number;
}

/** What one index does for one statement of the workload. */
export interface ServedStatement {
  /** {@link WorkloadStatement.id}. */
  readonly statement: string;
  /** Planner cost of one call now. */
  readonly before: number;
  /** With everything that is recommended. */
  readonly after: number;
}

export interface WriteCost {
  /** Index entries that the workload's writes would make, 0 when the workload writes nothing to the table. */
  readonly entries: number;
  readonly walBytesPerEntry: number;
  /** Updates of the workload that could no longer be HOT. */
  readonly lostHotUpdates: number;
  /** In units of planner cost; it is subtracted from the benefit. */
  readonly cost: number;
}

export interface Recommendation {
  /** Stable for the same index on the same table: 12 hex digits. */
  readonly id: string;
  readonly table: RelationName & { readonly schema: string };
  /** Name of the index as in `statement`. */
  readonly indexName: string;
  /** Key columns or expressions in order, as SQL. */
  readonly columns: readonly string[];
  /** The same as in `statement`: with operator class and order. */
  readonly keys: readonly string[];
  /** Names of columns, INCLUDE. */
  readonly included: readonly string[];
  /** Condition of a partial index as SQL, null for a whole one. */
  readonly predicate: string | null;
  readonly method: IndexMethod;
  /**
   * `CREATE INDEX CONCURRENTLY …`, without a semicolon. PostgreSQL refuses CONCURRENTLY on a partitioned parent: there it
   * is a plain `CREATE INDEX … ON parent`, and `isPartitioned` says so.
   */
  readonly statement: string;
  readonly isPartitioned: boolean;
  /** Statements that must run before, such as `CREATE EXTENSION IF NOT EXISTS pg_trgm`. */
  readonly prerequisites: readonly string[];
  readonly improvement: Improvement;
  readonly sizeBytes: number;
  readonly buildMsEstimate: number;
  readonly writeCost: WriteCost;
  readonly serves: readonly ServedStatement[];
  /** Sentences for people: what the index is for, and what the figures rest on. */
  readonly reasons: readonly string[];
}

export type RejectionCode =
  /** An index that is there already does the same. */
  | 'covered'
  /** The planner does not use it, or does not gain by it. */
  | 'no-gain'
  /** Its gain is below `minImprovement`. */
  | 'small-gain'
  /** Other recommended indexes serve the same statements. */
  | 'dominated'
  | 'write-cost'
  | 'budget'
  /** A statement would become more than 30 % dearer. */
  | 'regression'
  /** It could not be validated; nothing is recommended by a guess. */
  | 'not-validated'
  /** The time for advice was over before it was tried. */
  | 'time';

export interface RejectedCandidate {
  /** The index as SQL. */
  readonly candidate: string;
  readonly table: RelationName & { readonly schema: string };
  readonly code: RejectionCode;
  readonly reason: string;
}

export interface StatisticsAdvice {
  readonly table: RelationName & { readonly schema: string };
  readonly columns: readonly string[];
  /** `CREATE STATISTICS …`, `ALTER TABLE … SET (n_distinct = …)` or `ANALYZE …`. */
  readonly statement: string;
  readonly reason: string;
}

/** A statement of the workload about which nothing could be said. */
export interface SkippedStatement {
  readonly statement: string;
  readonly reason: string;
}

/** What all recommendations together do to one statement. */
export interface StatementForecast {
  readonly statement: string;
  /** Planner cost of one call now. */
  readonly before: number;
  /** With everything that is recommended. */
  readonly after: number;
}

export interface Advice {
  /** The most useful one first. */
  readonly recommendations: readonly Recommendation[];
  readonly rejected: readonly RejectedCandidate[];
  readonly statisticsAdvice: readonly StatisticsAdvice[];
  readonly skipped: readonly SkippedStatement[];
  readonly forecast: readonly StatementForecast[];
  /** Statements of {@link forecast} that become more than 30 % dearer. */
  readonly regressions: readonly StatementForecast[];
  /** Sum of {@link Recommendation.sizeBytes}. */
  readonly sizeBytes: number;
  readonly validation: {
    readonly source: Exclude<EstimateSource, 'built'>;
    /** Why not by HypoPG, where it was not; which tables were sampled. */
    readonly notes: readonly string[];
  };
  readonly elapsedMs: number;
  /**
   * Whether the search came to its end. If not, the time limit cut it short: what is recommended is proven all the same, but there
   * may be better, fewer or smaller indexes. `validation.notes` says so too.
   */
  readonly isComplete: boolean;
  /** Plans that were asked of the server. */
  readonly planCount: number;
}
