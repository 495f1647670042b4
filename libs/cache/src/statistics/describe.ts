import type { NamespaceCounters } from './counters.js';
import { hitsOf, readsOf } from './hit-rates.js';
import type {
  CacheStatistics,
  CacheSummary,
  LoadStatistics,
  MemoryStatistics,
  NamespaceStatistics,
  ObjectStoreStatistics,
  RecentHitRates,
  RedisStatistics,
  TierStatistics,
} from './statistics.js';

const MIB = 1024 * 1024;
const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/** Where the figures of a cache come from. */
export interface StatisticsSources {
  readonly namespaces: ReadonlyMap<string, NamespaceCounters>;
  readonly memory: Omit<MemoryStatistics, 'utilization'>;
  readonly redis: RedisStatistics;
  readonly objectStore: ObjectStoreStatistics;
  /** Of one namespace, or of all together. */
  readonly hitRates: { recent(namespace?: string): RecentHitRates };
}

/** All figures of a cache from its parts. */
export function describeCache(sources: StatisticsSources): CacheStatistics {
  const { memory, redis, objectStore, hitRates } = sources;
  const namespaces = [...sources.namespaces].map(
    ([name, it]) => [name, describeNamespace(it, memory.maxBytes, hitRates.recent(name))] as const,
  );
  const all = [...sources.namespaces.values()];
  const sum = (of: (it: NamespaceCounters) => number) => all.reduce((total, it) => total + of(it), 0);
  return {
    namespaces: Object.fromEntries(namespaces),
    memory: {
      ...memory,
      utilization: Math.max(share(memory.bytes, memory.maxBytes), share(memory.entries, memory.maxEntries)),
    },
    redis,
    objectStore,
    hitRate: share(sum(hitsOf), sum(readsOf)),
    recent: hitRates.recent(),
  };
}

function describeNamespace(
  it: NamespaceCounters,
  maxBytes: number,
  recent: RecentHitRates,
): NamespaceStatistics {
  const [reads, hits] = [readsOf(it), hitsOf(it)];
  return {
    memory: {
      ...describeTier(it.memoryHits, it.memoryMisses, 0),
      entries: it.entries,
      bytes: it.bytes,
      evictions: it.evictions,
      expirations: it.expirations,
      utilization: share(it.bytes, maxBytes),
    },
    redis: describeTier(it.redisHits, it.redisMisses, it.promotions),
    object: describeTier(it.objectHits, it.objectMisses, it.objectPromotions),
    reads,
    hits,
    hitRate: share(hits, reads),
    recent,
    staleHits: it.staleHits,
    staleOnError: it.staleOnError,
    suspected: it.suspected,
    loads: describeLoads(it),
  };
}

const describeTier = (hits: number, misses: number, promotions: number): TierStatistics => ({
  hits,
  misses,
  hitRate: share(hits, hits + misses),
  entries: null,
  bytes: null,
  evictions: null,
  expirations: null,
  promotions,
  utilization: null,
});

const describeLoads = (it: NamespaceCounters): LoadStatistics => ({
  count: it.loads,
  errors: it.loadErrors,
  totalMs: it.loadMs,
  averageMs: share(it.loadMs, it.loads),
  coalesced: it.coalesced,
  clusterCoalesced: it.clusterCoalesced,
  leaseWaits: it.leaseWaits,
  refreshes: it.refreshes,
  earlyRefreshes: it.earlyRefreshes,
  softTimeouts: it.softTimeouts,
  hardTimeouts: it.hardTimeouts,
  cachedErrors: it.cachedErrors,
  overtaken: it.overtaken,
  refused: it.refused,
  bypassed: it.bypassed,
});

/** The short form of the figures. */
export function summarize({ namespaces, memory, hitRate }: CacheStatistics): CacheSummary {
  const entriesOf = (name: string) => namespaces[name]?.memory.entries ?? 0;
  return {
    contentEntries: entriesOf('content'),
    searchEntries: entriesOf('search'),
    queryEntries: entriesOf('query'),
    totalMemoryMb: memory.bytes / MIB,
    utilizationPct: share(memory.bytes, memory.maxBytes) * 100,
    cacheHitRate: hitRate,
  };
}
