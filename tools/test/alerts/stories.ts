import { EXPECTED_METRICS } from '../../src/alerts/fields/scraping.ts';
import { counter, gauge, latency, type Series } from './series.ts';

const API = 'job="api",instance="api:3000"';

const requests = (perMinute: number, wrong: number): Series => ({
  [`http_requests_total{${API},route="/api/v1/files",status="2xx"}`]: counter(
    perMinute,
    perMinute - wrong,
    perMinute,
  ),
  [`http_requests_total{${API},route="/api/v1/files",status="5xx"}`]: counter(0, wrong, 0),
});
const reads = (hits: number, misses: number): Series => ({
  [`cache_hits_total{${API},namespace="content",tier="memory"}`]: counter(hits + misses, hits, hits + misses),
  [`cache_misses_total{${API},namespace="content",tier="memory"}`]: counter(0, misses, 0),
});
const starts = (perMinute: number, late: number): Series => ({
  'task_promised_wait_missed_total{job="worker",priority="LOW"}': counter(0, late, 0),
  'task_wait_seconds_count{job="worker",priority="LOW"}': counter(perMinute, perMinute, perMinute),
});
const answers = (perMinute: number, uncertified: number): Series => ({
  [`retrieval_queries_total{${API},plan="cached-partial",status="certified",reason="fallback"}`]: counter(
    perMinute,
    perMinute - uncertified,
    perMinute,
  ),
  [`retrieval_queries_total{${API},plan="cached-partial",status="uncertified",reason="fallback"}`]: counter(
    0,
    uncertified,
    0,
  ),
});
const failed = 'async_queue_size{job="worker",state="failed"}';
const isThere = Object.fromEntries(
  EXPECTED_METRICS.filter((it) => it !== 'async_queue_size').map((it) => [`${it}{${API}}`, gauge(1, 1, 1)]),
);

/** For each alert series that make it fire in the second phase, and only there. */
export const STORIES: Readonly<Record<string, Series>> = {
  ErrorRateHigh: requests(600, 60),
  RequestLatencyHigh: latency('http_request_duration_seconds', 600, `${API},route="/api/v1/files",`),
  RequestsShed: { [`protection_concurrency_shed_total{${API},priority="read"}`]: counter(0, 600, 0) },
  RateLimitStoreDown: { [`protection_rate_store_up{${API}}`]: gauge(1, 0, 1) },
  WrongKeysRefused: { [`protection_rate_refused_total{${API},policy="failures"}`]: counter(0, 60, 0) },
  QueryLatencyHigh: latency('db_query_latency', 600, `${API},`),
  PoolSaturated: {
    [`db_pool_connections{${API},state="in use"}`]: gauge(5, 49, 5),
    [`db_pool_capacity{${API}}`]: gauge(50, 50, 50),
    [`db_pool_waiting{${API},priority="high"}`]: gauge(0, 3, 0),
  },
  PoolRefusing: {
    [`db_pool_timeouts_total{${API}}`]: counter(0, 6, 0),
    [`db_pool_refused_total{${API}}`]: counter(0, 0, 0),
  },
  DatabaseDown: { [`health_check_up{${API},check="database",criticality="critical"}`]: gauge(1, 0, 1) },
  CacheHitRateLow: reads(200, 400),
  CacheRedisDown: { [`cache_redis_available{${API}}`]: gauge(1, 0, 1) },
  CacheInvalidationsHeldUp: { [`cache_pending_invalidations{${API}}`]: gauge(0, 12, 0) },
  RetrievalUnderFloor: {
    [`retrieval_shadow_queries_total{${API},embedder="a-model",outcome="failed"}`]: counter(0, 1, 0),
  },
  RetrievalUncertified: answers(100, 50),
  QueueWaitTooLong: starts(100, 20),
  QueueStalled: {
    'async_queue_size{job="worker",state="waiting"}': gauge(3, 40, 0),
    'task_wait_seconds_count{job="worker",priority="LOW"}': counter(10, 0, 10),
  },
  DeadLetters: { [failed]: gauge(0, 1, 0) },
  DeadLettersGrowing: { [failed]: growing() },
  OutboxHeldUp: { 'task_outbox_lag_seconds{job="worker"}': gauge(0, 90, 0) },
  PurgeOverdue: { 'cdn_purge_oldest_age_seconds{job="worker",provider="fastly"}': gauge(2, 400, 0) },
  PurgeGivenUp: { 'cdn_purges_total{job="worker",provider="fastly",result="failed"}': counter(0, 1, 0) },
  EventLoopDelayed: { [`nodejs_eventloop_lag_p99_seconds{${API}}`]: gauge(0.012, 0.3, 0.012) },
  HeapNearLimit: { [`memory_used_ratio{${API},of="heap"}`]: gauge(0.4, 0.9, 0.4) },
  MemoryNearLimit: { [`memory_used_ratio{${API},of="rss"}`]: gauge(0.4, 0.9, 0.4) },
  LoadShed: { [`memory_pressure_level{${API}}`]: gauge(0, 2, 0) },
  MemoryConsumerFailing: {
    [`memory_consumer_failures_total{${API},consumer="cache"}`]: counter(0, 1, 0),
  },
  FilesNearLimit: {
    [`process_open_fds{${API}}`]: gauge(40, 900, 40),
    [`process_max_fds{${API}}`]: gauge(1_000, 1_000, 1_000),
  },
  DependencyDegraded: { [`health_check_up{${API},check="storage",criticality="degraded"}`]: gauge(1, 0, 1) },
  TargetDown: { [`up{${API}}`]: gauge(1, 0, 1) },
  TargetMissing: { [`up{${API}}`]: gauge(1, null, 1), 'up{job="worker"}': gauge(1, 1, 1) },
  MetricsMissing: {
    ...isThere,
    [`up{${API}}`]: gauge(1, 1, 1),
    [`async_queue_size{${API},state="waiting"}`]: gauge(1, null, 1),
  },
  MetricsSourceFailing: { [`metrics_source_errors_total{${API},source="cache"}`]: counter(0, 4, 0) },
};

/** Series with as much wrong, where hardly anything happens: no one is to be told. */
export const LOW_TRAFFIC: Readonly<Record<string, Series>> = {
  ErrorRateHigh: requests(4, 4),
  RequestLatencyHigh: latency('http_request_duration_seconds', 4, `${API},route="/api/v1/files",`),
  QueryLatencyHigh: latency('db_query_latency', 10, `${API},`),
  PoolRefusing: {
    [`db_pool_timeouts_total{${API}}`]: counter(0, 1, 0),
    [`db_pool_refused_total{${API}}`]: counter(0, 0, 0),
  },
  CacheHitRateLow: reads(0, 20),
  RetrievalUncertified: answers(5, 5),
  QueueWaitTooLong: starts(1, 1),
  DeadLettersGrowing: { [failed]: gauge(0, 2, 0) },
};

/** One more dead letter each minute of trouble than the minute before. */
function growing(): string {
  const trouble = gauge(0, 1, 0).split(' ');
  let letters = 0;
  return trouble.map((it) => (it === '1' ? (letters += 5) : 0)).join(' ');
}

/** A platform at rest that nobody asks anything. */
export const IDLE: Series = {
  ...Object.fromEntries(
    [
      ...requestsAtRest(),
      ...Object.keys(reads(0, 0)),
      ...Object.keys(starts(0, 0)),
      ...Object.keys(answers(0, 0)),
    ].map((it) => [it, gauge(0, 0, 0)]),
  ),
  ...latency('http_request_duration_seconds', 0, `${API},route="/api/v1/files",`),
  ...latency('db_query_latency', 0, `${API},`),
  [`up{${API}}`]: gauge(1, 1, 1),
  'up{job="worker",instance="worker:3000"}': gauge(1, 1, 1),
  [`http_requests_in_flight{${API}}`]: gauge(0, 0, 0),
  [`db_pool_connections{${API},state="in use"}`]: gauge(0, 0, 0),
  [`db_pool_capacity{${API}}`]: gauge(50, 50, 50),
  [`db_pool_waiting{${API},priority="high"}`]: gauge(0, 0, 0),
  [`db_pool_timeouts_total{${API}}`]: gauge(0, 0, 0),
  [`db_pool_refused_total{${API}}`]: gauge(0, 0, 0),
  [`async_queue_size{${API},state="waiting"}`]: gauge(0, 0, 0),
  [`async_queue_size{${API},state="failed"}`]: gauge(0, 0, 0),
  [`health_check_up{${API},check="database",criticality="critical"}`]: gauge(1, 1, 1),
  [`health_check_up{${API},check="cache",criticality="degraded"}`]: gauge(1, 1, 1),
  [`memory_used_ratio{${API},of="heap"}`]: gauge(0.2, 0.2, 0.2),
  [`memory_used_ratio{${API},of="rss"}`]: gauge(0.3, 0.3, 0.3),
  [`memory_pressure_level{${API}}`]: gauge(0, 0, 0),
  [`memory_consumer_failures_total{${API},consumer="cache"}`]: gauge(0, 0, 0),
  [`nodejs_eventloop_lag_p99_seconds{${API}}`]: gauge(0.011, 0.011, 0.011),
  [`process_open_fds{${API}}`]: gauge(40, 40, 40),
  [`process_max_fds{${API}}`]: gauge(20_000, 20_000, 20_000),
};

function requestsAtRest(): string[] {
  return Object.keys(requests(0, 0));
}
