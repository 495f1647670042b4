import { type LatencyHistogram } from '../statistics/latency-histogram.js';
import { type QueryGroup } from '../statistics/query-statistics.js';

/** What was counted of a group of statements up to some moment. */
export interface StatementTotals {
  readonly calls: number;
  readonly slowCalls: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly maxMs: number;
  /** Runs by bucket of the {@link LatencyHistogram}. */
  readonly latency: ReadonlyMap<number, number>;
}

export const NO_TOTALS: StatementTotals = {
  calls: 0,
  slowCalls: 0,
  errors: 0,
  rows: 0,
  totalMs: 0,
  maxMs: 0,
  latency: new Map(),
};

export function totalsOf({ latency, errors, rows }: QueryGroup, slowCalls: number): StatementTotals {
  const { count: calls, sumMs: totalMs, maxMs } = latency;
  return { calls, slowCalls, errors, rows, totalMs, maxMs, latency: new Map(latency.buckets()) };
}

/** What was added since; the longest run is that of all times, since maxima cannot be taken apart. */
export function totalsSince(now: StatementTotals, then: StatementTotals): StatementTotals {
  const latency = [...now.latency]
    .map(([index, count]) => [index, count - (then.latency.get(index) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    calls: now.calls - then.calls,
    slowCalls: now.slowCalls - then.slowCalls,
    errors: now.errors - then.errors,
    rows: now.rows - then.rows,
    totalMs: now.totalMs - then.totalMs,
    maxMs: now.maxMs,
    latency: new Map(latency),
  };
}

export function addTotals(histogram: LatencyHistogram, { latency, totalMs, maxMs }: StatementTotals): void {
  histogram.addBuckets(latency, totalMs, maxMs);
}
