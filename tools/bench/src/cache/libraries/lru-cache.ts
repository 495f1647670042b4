import { LRUCache } from 'lru-cache';

import { type Load, type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/** lru-cache as most people use it: synchronous, bounded by entries, with a life time. */
export function openLruCache({ maxEntries }: OpenOptions): Subject {
  const cache = new LRUCache<string, object>({ max: maxEntries, ttl: TTL_MS });
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value as object),
    getOrSet: (key, load) => {
      const value = cache.get(key);
      if (value !== undefined) return value;
      return load().then((loaded) => {
        cache.set(key, loaded as object);
        return loaded;
      });
    },
  };
}

/** lru-cache with its own single flight. */
export function openLruCacheFetch({ maxEntries }: OpenOptions): Subject {
  const cache = new LRUCache<string, object, Load>({
    max: maxEntries,
    ttl: TTL_MS,
    fetchMethod: (_key, _stale, { context }) => context(),
  });
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value as object),
    getOrSet: (key, load) => cache.fetch(key, { context: load }),
    invalidate: (key) => Promise.resolve(cache.delete(key)),
  };
}
