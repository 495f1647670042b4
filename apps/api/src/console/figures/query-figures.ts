import { type PoolFigures, type QueriesFigures, type QueryRow, type SlowQueryRow } from '@peregrine/console';
import {
  type PoolStatistics,
  type QueryFigures,
  type QueryOptimizer,
  type SlowQuery,
} from '@peregrine/query-optimizer';

const MOST_ROWS = 10;
const MOST_SLOW = 20;
/** Longer texts are cut: the console shows them, nobody runs them from there. */
const MAX_SQL = 600;

export function queriesFigures(optimizer: QueryOptimizer): { queries: QueriesFigures; pool: PoolFigures } {
  const { queries, topQueries, cache, nPlusOne, pool } = optimizer.report();
  const slowQueries = optimizer.slowQueries.report(MOST_SLOW);
  return {
    queries: {
      count: queries.count,
      errors: queries.errors,
      p50Ms: queries.p50Ms,
      p95Ms: queries.p95Ms,
      p99Ms: queries.p99Ms,
      cacheHits: cache.hits,
      cacheMisses: cache.misses,
      slowMs: slowQueries.thresholdMs,
      slow: slowQueries.queries.map(slowRowOf),
      top: topQueries.slice(0, MOST_ROWS).map(rowOf),
      loops: nPlusOne.latest.map(({ scope, sql, where, count, durationMs }) => ({
        scope,
        sql: sql.slice(0, MAX_SQL),
        where,
        count,
        durationMs,
      })),
    },
    pool: poolFigures(pool),
  };
}

function rowOf({ fingerprint, sql, calls, errors, totalMs, meanMs, p95Ms, maxMs }: QueryFigures): QueryRow {
  return { fingerprint, sql: sql.slice(0, MAX_SQL), calls, errors, totalMs, meanMs, p95Ms, maxMs };
}

function slowRowOf({ plans, regression, ...query }: SlowQuery): SlowQueryRow {
  const { fingerprint, sql, source, calls, slowCalls, totalMs, meanMs, p95Ms, maxMs } = query;
  return {
    ...{ fingerprint, source, calls, slowCalls, totalMs, meanMs, p95Ms, maxMs },
    sql: sql.slice(0, MAX_SQL),
    plans: plans.length,
    hasRegressed: regression !== null,
  };
}

function poolFigures(pool: PoolStatistics): PoolFigures {
  const { size, idle, inUse, capacity, waiting, acquired, timeouts, refused, leaks, openFailures } = pool;
  const { efficiency } = pool;
  return {
    ...{ size, idle, inUse, capacity, timeouts, refused, leaks, openFailures, efficiency },
    waiting: { ...waiting },
    acquired: { ...acquired },
  };
}
