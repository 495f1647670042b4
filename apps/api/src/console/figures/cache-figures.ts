import { type Cache, type CacheStatistics } from '@peregrine/cache';
import { type CacheFigures, type CacheTierFigures } from '@peregrine/console';
import { adviseOnCache } from '../../meta/cache-advice.js';

export function cacheFigures(cache: Cache): CacheFigures {
  const statistics = cache.stats();
  const namespaces = Object.entries(statistics.namespaces);
  return {
    ...adviseOnCache(cache.summary(), statistics),
    hitRate: statistics.hitRate,
    recentHitRate: statistics.recent.fiveMinutes,
    tiers: tiersOf(statistics),
    namespaces: namespaces.map(([name, { memory, reads, hits, hitRate, recent, loads }]) => ({
      name,
      entries: memory.entries ?? 0,
      bytes: memory.bytes ?? 0,
      reads,
      hitRate,
      recentHitRate: recent.fiveMinutes,
      evictions: memory.evictions ?? 0,
      loadMs: loads.averageMs,
      savedMs: hits * loads.averageMs,
    })),
  };
}

function tiersOf({ memory, redis, objectStore, namespaces }: CacheStatistics): CacheTierFigures[] {
  const hits = (tier: 'memory' | 'redis' | 'object') =>
    Object.values(namespaces).reduce((sum, it) => sum + it[tier].hits, 0);
  const off = { entries: null, bytes: null, maxBytes: null };
  return [
    {
      name: 'Memory',
      state: 'up',
      note: 'In this process.',
      hits: hits('memory'),
      entries: memory.entries,
      bytes: memory.bytes,
      maxBytes: memory.maxBytes,
      errors: 0,
    },
    {
      name: 'Redis',
      ...stateOf(redis),
      hits: hits('redis'),
      ...off,
      errors: redis.errors,
    },
    {
      name: 'Object store',
      ...stateOf(objectStore),
      hits: hits('object'),
      entries: objectStore.entries,
      bytes: objectStore.bytes,
      maxBytes: objectStore.maxBytes,
      errors: objectStore.errors,
    },
  ];
}

function stateOf(tier: CacheStatistics['redis'] | CacheStatistics['objectStore']) {
  if (!tier.configured) return { state: 'off' as const, note: 'Not configured.' };
  if (tier.available) return { state: 'up' as const, note: 'Shared by all processes.' };
  const code = 'lastError' in tier && tier.lastError ? ` (${tier.lastError.code})` : '';
  return { state: 'down' as const, note: `Does not answer${code}.` };
}
