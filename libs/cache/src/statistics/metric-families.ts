import type {
  CacheStatistics,
  LoadStatistics,
  MetricFamily,
  MetricSample,
  NamespaceStatistics,
  TierStatistics,
} from './statistics.js';

type Type = MetricFamily['type'];
type PerNamespace = (it: NamespaceStatistics) => MetricSample[];
type Figure = number | boolean | null;

/** One sample for each figure that is known; the keys are the values of the label. */
const labelled = (label: string, figures: Readonly<Record<string, number | null>>): MetricSample[] =>
  Object.entries(figures).flatMap(([name, value]) =>
    value === null ? [] : [{ labels: { [label]: name }, value }],
  );

const tiers =
  (figure: (it: TierStatistics) => number | null): PerNamespace =>
  ({ memory, redis, object }) =>
    labelled('tier', { memory: figure(memory), redis: figure(redis), object: figure(object) });

const loads =
  (figure: (it: LoadStatistics) => number): PerNamespace =>
  (it) => [{ value: figure(it.loads) }];

const NAMESPACE_FAMILIES: readonly [name: string, type: Type, help: string, samples: PerNamespace][] = [
  ['cache_hits_total', 'counter', 'Reads answered by a tier', tiers((it) => it.hits)],
  ['cache_misses_total', 'counter', 'Reads a tier could not answer', tiers((it) => it.misses)],
  ['cache_entries', 'gauge', 'Entries', tiers((it) => it.entries)],
  ['cache_bytes', 'gauge', 'Estimated bytes of the entries', tiers((it) => it.bytes)],
  ['cache_evictions_total', 'counter', 'Entries pushed out for want of room', tiers((it) => it.evictions)],
  ['cache_expirations_total', 'counter', 'Entries whose time was over', tiers((it) => it.expirations)],
  [
    'cache_promotions_total',
    'counter',
    'Values lifted from a tier into a faster one',
    ({ redis, object }) => labelled('tier', { redis: redis.promotions, object: object.promotions }),
  ],
  [
    'cache_hit_ratio',
    'gauge',
    'Share of reads that some tier answered, in the last minutes',
    ({ recent }) =>
      labelled('window', {
        '1m': recent.oneMinute,
        '5m': recent.fiveMinutes,
        '15m': recent.fifteenMinutes,
      }),
  ],
  [
    'cache_stale_hits_total',
    'counter',
    'Reads answered with a stale value',
    (it) => [{ value: it.staleHits }],
  ],
  [
    'cache_stale_on_error_total',
    'counter',
    'Stale values that hid a failed load',
    (it) => [{ value: it.staleOnError }],
  ],
  [
    'cache_suspected_total',
    'counter',
    'Entries checked against Redis after missed messages',
    (it) => [{ value: it.suspected }],
  ],
  ['cache_loads_total', 'counter', 'Runs of loaders', loads((it) => it.count)],
  ['cache_load_errors_total', 'counter', 'Runs of loaders that failed', loads((it) => it.errors)],
  ['cache_load_seconds_total', 'counter', 'Time spent in loaders', loads((it) => it.totalMs / 1_000)],
  [
    'cache_refreshes_total',
    'counter',
    'Runs of loaders in the background',
    (it) => labelled('entry', { stale: it.loads.refreshes, fresh: it.loads.earlyRefreshes }),
  ],
  [
    'cache_coalesced_total',
    'counter',
    'Callers that shared the load of another',
    loads((it) => it.coalesced),
  ],
  [
    'cache_cluster_coalesced_total',
    'counter',
    'Loads spared since another process brought the value',
    loads((it) => it.clusterCoalesced),
  ],
  [
    'cache_lease_waits_total',
    'counter',
    'Waits for the lease of another process',
    loads((it) => it.leaseWaits),
  ],
  [
    'cache_load_timeouts_total',
    'counter',
    'Callers for whom the load was too slow',
    (it) => labelled('kind', { soft: it.loads.softTimeouts, hard: it.loads.hardTimeouts }),
  ],
  [
    'cache_cached_errors_total',
    'counter',
    'Errors of loaders that were kept',
    loads((it) => it.cachedErrors),
  ],
  [
    'cache_unstored_total',
    'counter',
    'Loaded values that were not stored',
    ({ loads: { overtaken, refused, bypassed } }) => labelled('reason', { overtaken, refused, bypassed }),
  ],
];

const single = (name: string, type: Type, help: string, value: Figure): MetricFamily => ({
  name,
  help,
  type,
  samples: value === null ? [] : [{ value: Number(value) }],
});

/** All metric families of a cache. */
export function describeMetrics(statistics: CacheStatistics): MetricFamily[] {
  return [
    ...perNamespace(statistics),
    ...wholeTiers(statistics),
    ...(statistics.redis.configured ? redisFamilies(statistics) : []),
    ...(statistics.objectStore.configured ? objectStoreFamilies(statistics) : []),
  ];
}

/** Without the tiers that are not there. */
function perNamespace({ namespaces, redis, objectStore }: CacheStatistics): MetricFamily[] {
  const absent = [redis.configured ? '' : 'redis', objectStore.configured ? '' : 'object'];
  return NAMESPACE_FAMILIES.map(([name, type, help, samplesOf]) => ({
    name,
    help,
    type,
    samples: Object.entries(namespaces).flatMap(([namespace, it]) =>
      samplesOf(it)
        .filter(({ labels }) => !absent.includes(labels?.['tier'] ?? ' '))
        .map(({ labels, value }) => ({ labels: { namespace, ...labels }, value })),
    ),
  }));
}

const wholeTiers = ({ memory, objectStore }: CacheStatistics): MetricFamily[] => [
  {
    name: 'cache_max_bytes',
    type: 'gauge',
    help: 'Bound of the bytes of a tier',
    samples: labelled('tier', { memory: memory.maxBytes, object: objectStore.maxBytes }),
  },
  {
    name: 'cache_utilization_ratio',
    type: 'gauge',
    help: 'Share of a tier in use: of its bytes or of its entries, whichever is more',
    samples: labelled('tier', {
      memory: memory.utilization,
      object:
        objectStore.bytes === null || objectStore.maxBytes === null
          ? null
          : objectStore.bytes / objectStore.maxBytes,
    }),
  },
];

const redisFamilies = ({ redis: it }: CacheStatistics): MetricFamily[] => [
  single('cache_breaker_open', 'gauge', '1 while the circuit breaker of Redis is open', it.breakerOpen),
  single('cache_redis_available', 'gauge', '1 while Redis is used', it.available),
  single('cache_bus_subscribed', 'gauge', '1 while invalidations are received', it.subscribed),
  single(
    'cache_pending_invalidations',
    'gauge',
    'Invalidations that wait for Redis',
    it.pendingInvalidations,
  ),
  single('cache_redis_errors_total', 'counter', 'Redis operations that failed or timed out', it.errors),
  single('cache_bus_messages_total', 'counter', 'Invalidations of other processes', it.messages),
  single('cache_suspicions_total', 'counter', 'Times memory was suspect as a whole', it.suspicions),
  single('cache_redis_undecodable_total', 'counter', 'Entries that could not be read', it.undecodable),
  single(
    'cache_redis_unknown_keys_total',
    'counter',
    'Entries encrypted with an unknown key',
    it.unknownKeys,
  ),
  {
    name: 'cache_redis_server_up',
    type: 'gauge',
    help: '1 while a server is used',
    samples: it.servers.map(({ name, ready }) => ({ labels: { server: name }, value: Number(ready) })),
  },
];

const objectStoreFamilies = ({ objectStore: it }: CacheStatistics): MetricFamily[] => [
  single('cache_object_store_available', 'gauge', '1 while the object store is used', it.available),
  single('cache_object_store_entries', 'gauge', 'Objects in the object store', it.entries),
  single('cache_object_store_bytes', 'gauge', 'Bytes in the object store', it.bytes),
  single('cache_object_store_evictions_total', 'counter', 'Objects removed for want of room', it.evictions),
  single('cache_object_store_errors_total', 'counter', 'Object store operations that failed', it.errors),
];
