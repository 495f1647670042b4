import { afterAll, describe, it } from '@jest/globals';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import { cacheContract } from '../../src/testing/index.js';
import { OpenCaches } from '../open-caches.js';
import { redisUrl } from '../redis-url.js';

describe('a cache with Redis', () => {
  const used: string[] = [];
  const open = async (memory: { readonly ttlMs?: number }, namespace: string) => {
    const caches = new OpenCaches(redisUrl());
    used.push(caches.prefix);
    const cache = await caches.connect({ memory }, 5_000);
    return { cache: cache.namespace(namespace), close: () => caches.close() };
  };
  afterAll(async () => {
    for (const prefix of used) await removeRedisKeys(redisUrl(), prefix);
  });

  describe('and memory', () => {
    for (const { title, run } of cacheContract(() => open({}, 'content'))) it(title, run);
  });

  describe('and copies in memory that last for a millisecond', () => {
    for (const { title, run } of cacheContract(() => open({ ttlMs: 1 }, 'content'))) it(title, run);
  });
});
