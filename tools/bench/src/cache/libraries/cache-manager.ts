import { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';

import { type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/**
 * Its default memory store, which has no limit and does not serialize; with Redis as the second store. It has no bus
 * and no tags.
 */
export function openCacheManager({ redisUrl }: OpenOptions): Promise<Subject> {
  const cache = createCache({
    ttl: TTL_MS,
    ...(redisUrl === undefined ? {} : { stores: twoStores(redisUrl) }),
  });
  return Promise.resolve({
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, load) => cache.wrap(key, load, TTL_MS),
    getMany: (keys) => cache.mget(keys),
    invalidate: (key) => cache.del(key),
    close: () => cache.disconnect(),
  });
}

function twoStores(redisUrl: string): Keyv[] {
  const memory = new Keyv();
  // As the default store of cache-manager has it.
  memory.serialize = undefined;
  memory.deserialize = undefined;
  const redis = createKeyv(redisUrl);
  redis.on('error', () => undefined);
  return [memory, redis];
}
