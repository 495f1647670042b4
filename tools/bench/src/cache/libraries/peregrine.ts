import { createCache, MemoryTier } from '@peregrine/cache';

import { type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/** Metrics are on: they can not be switched off. Options are built for every call, as an application does. */
export function openPeregrine(options: OpenOptions): Subject {
  const { maxEntries, redisUrl, isClusterFlight = false, withTags = false } = options;
  const cache = createCache({
    prefix: 'bench',
    // The default of 60 s could run out in the middle of a measurement.
    memory: { maxEntries, ttlMs: TTL_MS },
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    namespaces: { bench: { ttlMs: TTL_MS, singleFlight: isClusterFlight ? 'cluster' : 'process' } },
  });
  const bench = cache.namespace('bench');
  const base: Subject = {
    get: (key) => bench.get(key),
    getMany: async (keys) => {
      const found = await bench.getMany<unknown>(keys);
      return keys.map((key) => found.get(key));
    },
    set: (key, value) => bench.set(key, value, { ttlMs: TTL_MS }),
    getOrSet: (key, load) => bench.getOrSet(key, load, { ttlMs: TTL_MS }),
    invalidate: (key) => bench.invalidate(key),
    invalidateTag: (tag) => bench.invalidateTags([tag]),
    close: () => cache.close(),
  };
  if (!withTags) return base;
  return {
    ...base,
    set: (key, value, tags) => bench.set(key, value, { ttlMs: TTL_MS, tags: [tags[0], tags[1], tags[2]] }),
    getOrSet: (key, load, tags) =>
      bench.getOrSet(key, load, { ttlMs: TTL_MS, tags: [tags[0], tags[1], tags[2]] }),
  };
}

/** The first tier alone, which answers without a promise. */
export function openMemoryTier({ maxEntries }: OpenOptions): Subject {
  const tier = new MemoryTier<unknown>({ maxEntries, maxBytes: 2 ** 30 });
  return {
    get: (key) => tier.get(key),
    set: (key, value) => tier.set(key, value, { ttlMs: TTL_MS }),
  };
}
