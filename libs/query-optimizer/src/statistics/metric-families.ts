import { type PoolStatistics, WAIT_BUCKETS_MS } from '../pool/pool-statistics.js';
import { QUERY_PRIORITIES } from '../pool/query-priority.js';
import { type ReplicaReport } from '../replicas/replica.js';
import { type ReplicasReport } from '../replicas/replica-set.js';
import { type ResultCacheStatistics } from '../result-cache/result-cache.js';
import { type SlowQueryCounts } from '../slow-queries/slow-query.js';
import { type LatencyHistogram } from './latency-histogram.js';

/** Figures in the shape that a Prometheus registry takes; structural, so no metrics package is needed. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** Of a histogram: `_bucket` (cumulative, with the label `le`), `_sum` or `_count`. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Figures {
  readonly latency: LatencyHistogram;
  readonly errors: number;
  readonly cache: ResultCacheStatistics;
  readonly pool: PoolStatistics;
  readonly replicas: ReplicasReport | null;
  readonly nPlusOne: number;
  readonly slow: SlowQueryCounts;
  readonly pinnedPlans: number;
}

const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

export function metricFamilies({
  latency,
  errors,
  cache,
  pool,
  replicas,
  nPlusOne,
  slow,
  pinnedPlans,
}: Figures): MetricFamily[] {
  return [
    latencyFamily(latency),
    counter('db_query_errors_total', 'Statements that PostgreSQL refused', errors),
    counter('db_query_cache_hits_total', 'Statements answered from the cache', cache.hits),
    counter('db_query_cache_misses_total', 'Statements that were looked up and asked for', cache.misses),
    {
      name: 'db_query_cache_bypassed_total',
      help: 'Statements that were to be cached and could not be, by reason',
      type: 'counter',
      samples: Object.entries(cache.bypassed).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    counter('db_n_plus_one_total', 'Loops of statements found in the watched requests and tasks', nPlusOne),
    counter('db_slow_queries_total', 'Runs above their threshold', slow.slowRuns),
    counter('db_plan_samples_total', 'Plans that were asked for', slow.planSamples),
    counter('db_plan_regressions_total', 'Statements that got a worse plan', slow.regressions),
    gauge('db_plans_pinned', 'Statements that run with settings of their own', pinnedPlans),
    {
      name: 'db_pool_connections',
      help: 'Connections by state',
      type: 'gauge',
      samples: [
        { labels: { state: 'in use' }, value: pool.inUse },
        { labels: { state: 'idle' }, value: pool.idle },
        { labels: { state: 'opening' }, value: pool.opening },
      ],
    },
    gauge('db_pool_capacity', 'What the pool may grow to now', pool.capacity),
    gauge('db_pool_efficiency_ratio', 'Share of callers that had a connection within 10 ms', pool.efficiency),
    {
      name: 'db_pool_waiting',
      help: 'Callers that wait for a connection',
      type: 'gauge',
      samples: QUERY_PRIORITIES.map((priority) => ({ labels: { priority }, value: pool.waiting[priority] })),
    },
    waitFamily(pool),
    counter('db_pool_timeouts_total', 'Callers that got no connection in time', pool.timeouts),
    counter('db_pool_refused_total', 'Callers refused because too many waited', pool.refused),
    counter('db_pool_leaks_total', 'Connections that were kept for too long', pool.leaks),
    {
      name: 'db_pool_closed_total',
      help: 'Connections closed, by reason',
      type: 'counter',
      samples: Object.entries(pool.closed).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    ...(replicas ? replicaFamilies(replicas) : []),
  ];
}

function replicaFamilies({ replicas, bypassed }: ReplicasReport): MetricFamily[] {
  const each = (of: (replica: ReplicaReport) => number | null): MetricSample[] =>
    replicas.flatMap((it) => {
      const value = of(it);
      return value === null ? [] : [{ labels: { replica: it.name }, value }];
    });
  return [
    {
      name: 'db_replica_up',
      help: 'Whether reads go to the replica: it answers and is within the bound',
      type: 'gauge',
      samples: each((it) => (it.state === 'up' ? 1 : 0)),
    },
    {
      name: 'db_replica_lag_seconds',
      help: 'Everything that was committed this long ago is in the replica',
      type: 'gauge',
      samples: each((it) => (it.lagMs === null ? null : it.lagMs / 1_000)),
    },
    {
      name: 'db_replica_reads_total',
      help: 'Reads that the replica was asked',
      type: 'counter',
      samples: each((it) => it.reads),
    },
    {
      name: 'db_replica_failures_total',
      help: 'Reads that the replica could not answer',
      type: 'counter',
      samples: each((it) => it.failures),
    },
    {
      name: 'db_replica_bypassed_total',
      help: 'Reads that a replica might have answered and the primary did, by reason',
      type: 'counter',
      samples: Object.entries(bypassed).map(([reason, value]) => ({ labels: { reason }, value })),
    },
  ];
}

function latencyFamily(latency: LatencyHistogram): MetricFamily {
  const counts = latency.cumulative(LATENCY_BUCKETS_MS);
  return {
    name: 'db_query_latency',
    help: 'Seconds from the sending of a statement to its answer',
    type: 'histogram',
    samples: [
      ...counts.map((value, index) => bucket((LATENCY_BUCKETS_MS[index] ?? 0) / 1_000, value)),
      bucket('+Inf', latency.count),
      { suffix: '_sum', value: latency.sumMs / 1_000 },
      { suffix: '_count', value: latency.count },
    ],
  };
}

function waitFamily({ waits }: PoolStatistics): MetricFamily {
  const samples = QUERY_PRIORITIES.flatMap((priority): MetricSample[] => {
    const { buckets, count, sumMs } = waits[priority];
    let below = 0;
    const labels = { priority };
    return [
      ...WAIT_BUCKETS_MS.map((bound, index) => bucket(bound / 1_000, (below += buckets[index] ?? 0), labels)),
      bucket('+Inf', count, labels),
      { suffix: '_sum', labels, value: sumMs / 1_000 },
      { suffix: '_count', labels, value: count },
    ];
  });
  return { name: 'db_pool_wait_seconds', help: 'Wait for a connection', type: 'histogram', samples };
}

function bucket(bound: number | string, value: number, labels: Record<string, string> = {}): MetricSample {
  return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'counter', samples: [{ value }] };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ value }] };
}
