import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../settings/load-settings.js';
import { cacheRedisOf } from './cache-redis.js';
import { cacheSettings } from './cache.settings.js';
import { redisSettings } from './redis.settings.js';

const redisOf = (environment: Record<string, string>) =>
  cacheRedisOf(loadSettings({ cache: cacheSettings, redis: redisSettings }, environment));

const REDIS_URL = 'redis://127.0.0.1:6379';

describe('cacheRedisOf', () => {
  it('is the server of REDIS_URL unless the cache has its own', () => {
    expect(redisOf({})).toBeUndefined();
    expect(redisOf({ REDIS_URL })).toEqual({ url: REDIS_URL });
  });

  it('is the master behind the sentinels, with the credentials of both', () => {
    const setup = { REDIS_URL, CACHE_REDIS_SENTINELS: 'a:1,b:2', CACHE_REDIS_MASTER_NAME: 'm' };
    const nodes = [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ];
    expect(redisOf(setup)).toEqual({ sentinel: { nodes, name: 'm', tls: false } });
    expect(
      redisOf({
        ...setup,
        CACHE_REDIS_USERNAME: 'u',
        CACHE_REDIS_PASSWORD: 'p',
        CACHE_REDIS_SENTINEL_PASSWORD: 's',
        CACHE_REDIS_TLS: 'true',
      }),
    ).toEqual({
      sentinel: { nodes, name: 'm', tls: true, username: 'u', password: 'p', sentinelPassword: 's' },
    });
  });

  it('is the cluster', () => {
    expect(redisOf({ REDIS_URL, CACHE_REDIS_CLUSTER: 'redis://a:1, rediss://b:2' })).toEqual({
      cluster: { nodes: ['redis://a:1', 'rediss://b:2'] },
    });
  });
});
