import type { SettingValues } from '../settings/define-settings.js';
import type { cacheSettings } from './cache.settings.js';
import type { redisSettings } from './redis.settings.js';

type CacheValues = SettingValues<(typeof cacheSettings)['shape']>;
type Address = NonNullable<CacheValues['sentinels']>[number];

/** Where the Redis of the cache is, in the shape that `@peregrine/cache` takes. */
export type CacheRedis =
  | { url: string }
  | { cluster: { nodes: [string, ...string[]] } }
  | {
      sentinel: {
        nodes: [Address, ...Address[]];
        name: string;
        tls: boolean;
        username?: string;
        password?: string;
        sentinelPassword?: string;
      };
    };

/** The cluster, else the master behind the sentinels, else the server of `REDIS_URL`; undefined when there is none. */
export function cacheRedisOf({
  cache,
  redis,
}: {
  readonly cache: CacheValues;
  readonly redis: SettingValues<(typeof redisSettings)['shape']>;
}): CacheRedis | undefined {
  const [node, ...otherNodes] = cache.cluster ?? [];
  if (node !== undefined) return { cluster: { nodes: [node, ...otherNodes] } };
  const [address, ...otherAddresses] = cache.sentinels ?? [];
  if (address === undefined || cache.masterName === undefined)
    return redis.url ? { url: redis.url } : undefined;
  const { redisUsername: username, redisPassword: password, sentinelPassword } = cache;
  return {
    sentinel: {
      nodes: [address, ...otherAddresses],
      name: cache.masterName,
      tls: cache.redisTls,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(sentinelPassword !== undefined && { sentinelPassword }),
    },
  };
}
