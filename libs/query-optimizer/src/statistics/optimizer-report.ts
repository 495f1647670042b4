import { type StoredRecommendation } from '../adaptive/stored-recommendation.js';
import { type IndexReport } from '../index-analysis/index-finding.js';
import { type NPlusOneFinding } from '../n-plus-one/n-plus-one-finding.js';
import { type PlanGuardReport } from '../plan-guard/plan-guard.js';
import { type PoolStatistics } from '../pool/pool-statistics.js';
import { type ReplicasReport } from '../replicas/replica-set.js';
import { type ResultCacheStatistics } from '../result-cache/result-cache.js';
import { type SlowQueryReport } from '../slow-queries/slow-query.js';
import { type QueryFigures, type QueryStatistics } from './query-statistics.js';

export interface OptimizerReport {
  readonly cache: ResultCacheStatistics;
  readonly queries: {
    readonly count: number;
    readonly errors: number;
    readonly meanMs: number;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
  };
  /** Most time in all first. */
  readonly topQueries: readonly QueryFigures[];
  readonly pool: PoolStatistics;
  /** Null without any. */
  readonly replicas: ReplicasReport | null;
  readonly nPlusOne: {
    readonly watched: number;
    readonly found: number;
    readonly latest: readonly NPlusOneFinding[];
  };
  readonly slowQueries: SlowQueryReport;
  /** Of the latest `analyseIndexes()`; null before the first. */
  readonly indexes: IndexReport | null;
  /** Of adaptive indexing, by any process, as this one saw them last: open ones first. */
  readonly indexRecommendations: readonly StoredRecommendation[];
  readonly planGuard: PlanGuardReport;
}

const REPORTED_QUERIES = 20;

/** The part of the report that counts statements. */
export function reportQueries(statistics: QueryStatistics): Pick<OptimizerReport, 'queries' | 'topQueries'> {
  const { latency, errors } = statistics;
  return {
    queries: {
      count: latency.count,
      errors,
      meanMs: latency.count > 0 ? latency.sumMs / latency.count : 0,
      p50Ms: latency.percentile(0.5),
      p95Ms: latency.percentile(0.95),
      p99Ms: latency.percentile(0.99),
    },
    topQueries: statistics.top(REPORTED_QUERIES),
  };
}
