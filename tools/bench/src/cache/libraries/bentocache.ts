import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';

import { type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/** Two tiers come with its bus. With a second tier it has to serialize: `serialize: false` fails there. */
export function openBentocache(
  { maxEntries, redisUrl, withTags = false }: OpenOptions,
  { serialize = true } = {},
): Promise<Subject> {
  const store = bentostore({ ttl: TTL_MS }).useL1Layer(memoryDriver({ maxItems: maxEntries, serialize }));
  if (redisUrl !== undefined) {
    const { hostname: host, port } = new URL(redisUrl);
    const connection = { host, port: Number(port) };
    store.useL2Layer(redisDriver({ connection })).useBus(redisBusDriver({ connection }));
  }
  const cache = new BentoCache({ default: 'bench', stores: { bench: store } });
  const base: Subject = {
    get: (key) => cache.get({ key }),
    set: (key, value) => cache.set({ key, value, ttl: TTL_MS }),
    getOrSet: (key, load) => cache.getOrSet({ key, factory: load, ttl: TTL_MS }),
    invalidate: (key) => cache.delete({ key }),
    invalidateTag: (tag) => cache.deleteByTag({ tags: [tag] }),
    close: () => cache.disconnectAll(),
  };
  if (!withTags) return Promise.resolve(base);
  return Promise.resolve({
    ...base,
    set: (key, value, tags) => cache.set({ key, value, ttl: TTL_MS, tags: [tags[0], tags[1], tags[2]] }),
    getOrSet: (key, load, tags) =>
      cache.getOrSet({ key, factory: load, ttl: TTL_MS, tags: [tags[0], tags[1], tags[2]] }),
  });
}
