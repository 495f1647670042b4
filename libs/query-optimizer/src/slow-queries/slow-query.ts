import { type PlanBuffers } from './plan.js';
import { type PlanRecord, type PlanRegression } from './plan-history.js';
import { type ServerFigures } from './server-statistics.js';

/** One group of statements of which some runs are slow. Durations in milliseconds. */
export interface SlowQuery {
  readonly fingerprint: string;
  readonly sql: string;
  readonly kind: string;
  /** Of `withQueryTag` around slow runs; a few. */
  readonly tags: readonly string[];
  readonly thresholdMs: number;
  /**
   * `application`: runs through this library, in this process or, by the history, in others and before. `server`: known from
   * pg_stat_statements only, so other programs run it; it has no percentiles, and `slowCalls` is 0.
   */
  readonly source: 'application' | 'server';
  readonly calls: number;
  readonly slowCalls: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number;
  readonly lastSlowAt: Date | null;
  /** Of one run: of the latest sample, else by the server's mean. */
  readonly buffers: (PlanBuffers & { readonly source: 'sample' | 'server' }) | null;
  /** The latest last. */
  readonly plans: readonly PlanRecord[];
  /** Why the latest sample gave no plan, or only an estimate. */
  readonly planProblem: string | null;
  readonly regression: PlanRegression | null;
  /** All programs together, this one included. */
  readonly server: ServerFigures | null;
}

/** Something that could not be looked at, and what to do about it. */
export interface Degradation {
  readonly part: 'history' | 'server statistics' | 'plans' | 'indexes' | 'replicas' | 'bloat';
  readonly reason: string;
}

/** Of this process. */
export interface SlowQueryCounts {
  readonly slowRuns: number;
  readonly planSamples: number;
  readonly regressions: number;
}

export interface SlowQueryReport extends SlowQueryCounts {
  readonly thresholdMs: number;
  /** Most time in all first. */
  readonly queries: readonly SlowQuery[];
  /** Since when `server` counts; null when it is not known. */
  readonly serverSince: Date | null;
  readonly degraded: readonly Degradation[];
}

/** A statement as an advisor, or a replay, takes it. */
export interface CapturedStatement {
  /** The fingerprint. */
  readonly id: string;
  /** As it was sent; of other programs with `$n` in the place of constants. */
  readonly text: string;
  /** Of one run; missing where they are not known. */
  readonly parameters?: readonly unknown[];
  readonly calls: number;
  readonly totalMs: number;
}
