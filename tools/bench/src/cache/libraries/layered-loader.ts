import { Redis } from 'ioredis';
import { createNotificationPair, Loader, RedisCache } from 'layered-loader';

import { type Load, type OpenOptions, type Subject, TTL_MS } from './contract.ts';

interface Request {
  readonly key: string;
  readonly load: Load;
}

const nothing: Load = () => Promise.resolve(undefined);

/**
 * The load travels in the parameters, which is how this library passes what its one data source needs. With Redis
 * it has the notifications that keep several processes together.
 */
export async function openLayeredLoader(
  { maxEntries, redisUrl }: OpenOptions,
  { isSync = false } = {},
): Promise<Subject> {
  const loader = new Loader<unknown, Request>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: TTL_MS, maxItems: maxEntries },
    cacheKeyFromLoadParamsResolver: ({ key }) => key,
    cacheKeyFromValueResolver: (value) => (value as { id: string }).id,
    dataSourceGetOneFn: ({ load }) => load(),
    dataSourceGetManyFn: () => Promise.resolve([]),
    logger: { error: () => undefined },
    ...(redisUrl === undefined ? {} : redisParts(redisUrl)),
  });
  await loader.init();
  return {
    get: isSync
      ? (key) => loader.getInMemoryOnly({ key, load: nothing })
      : (key) => loader.get({ key, load: nothing }),
    set: (key, value) => loader.forceSetValue(key, value),
    getOrSet: isSync
      ? (key, load) => {
          const request = { key, load };
          return loader.getInMemoryOnly(request) ?? loader.getAsyncOnly(request);
        }
      : (key, load) => loader.get({ key, load }),
    getMany: (keys) => loader.getMany(keys),
    invalidate: (key) => loader.invalidateCacheFor(key),
    close: () => loader.close(),
  };
}

function redisParts(redisUrl: string) {
  const connect = () => {
    const redis = new Redis(redisUrl);
    redis.on('error', () => undefined);
    return redis;
  };
  const { publisher, consumer } = createNotificationPair<unknown>({
    channel: 'bench',
    publisherRedis: connect(),
    consumerRedis: connect(),
  });
  return {
    asyncCache: new RedisCache<unknown>(connect(), { json: true, ttlInMsecs: TTL_MS, prefix: 'bench' }),
    notificationPublisher: publisher,
    notificationConsumer: consumer,
  };
}
