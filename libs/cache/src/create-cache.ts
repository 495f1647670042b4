import { parseCacheOptions, type CacheOptionsInput } from './cache.options.js';
import { Cache } from './cache.service.js';

/**
 * The cache for a program without Nest. It connects in the background; the first operations wait for that no longer than
 * the deadline of one Redis operation. Call `close()` at the end.
 * @throws {CacheOptionsError} with every problem at once.
 */
export function createCache(options: CacheOptionsInput = {}): Cache {
  const cache = new Cache(parseCacheOptions(options));
  // Never rejects: without Redis the cache works on its other tiers.
  void cache.onModuleInit();
  return cache;
}
