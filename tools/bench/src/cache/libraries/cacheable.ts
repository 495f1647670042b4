import { createKeyv as createRedisKeyv } from '@keyv/redis';
import { Cacheable, createKeyv } from 'cacheable';

import { type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/**
 * Its `getOrSet` takes no tags: entries with tags go through `get` and `set`, as its users have to do it. The tag
 * service is on only then.
 */
export function openCacheable(
  { maxEntries, redisUrl, withTags = false }: OpenOptions,
  { useClone = true } = {},
): Promise<Subject> {
  const cache = new Cacheable({
    ttl: TTL_MS,
    primary: createKeyv({ ttl: TTL_MS, lruSize: maxEntries, useClone }),
    ...(redisUrl === undefined ? {} : { secondary: createRedisKeyv(redisUrl) }),
    tags: withTags,
  });
  cache.on('error', () => undefined);
  const base: Subject = {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, load) => cache.getOrSet(key, load, { ttl: TTL_MS }),
    getMany: (keys) => cache.getMany(keys),
    invalidate: (key) => cache.delete(key),
    close: () => cache.disconnect(),
  };
  if (!withTags) return Promise.resolve(base);
  return Promise.resolve({
    ...base,
    set: (key, value, tags) => cache.set(key, value, { tags: [...tags] }),
    getOrSet: async (key, load, tags) => {
      const cached = await cache.get(key);
      if (cached !== undefined) return cached;
      const value = await load();
      await cache.set(key, value, { tags: [...tags] });
      return value;
    },
    invalidateTag: (tag) => cache.tags.invalidateTag(tag),
  });
}
