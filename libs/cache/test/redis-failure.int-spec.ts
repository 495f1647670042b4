import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cache } from '../src/index.js';
import { createRedisClient, type RedisClient } from '../src/redis/redis-client.js';
import { connected, Gate, OpenCaches } from './open-caches.js';
import { HoldingProxy } from './holding-proxy.js';
import { RedisServer } from './redis-server.js';
import { until } from './until.js';

/** Short for a test, and long enough that a busy machine answers within it. */
const SHORT_MS = 400;

/** Each test has a server of its own, since it is going to be hurt. */
describe('a Redis that fails', () => {
  let server: RedisServer;
  let caches: OpenCaches;
  const content = (cache: Cache) => cache.namespace('content');
  const load = (value: unknown) => () => Promise.resolve(value);
  const withAdmin = async <T>(use: (redis: RedisClient) => Promise<T>): Promise<T> => {
    const redis = createRedisClient({ url: server.url });
    await redis.connect();
    try {
      return await use(redis);
    } finally {
      await redis.disconnect();
    }
  };
  const kill = (type: 'pubsub' | 'normal') =>
    withAdmin((redis) => redis.sendCommand(['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes']));
  /** The entry is in Redis, seen by a process that has nothing else. */
  const inRedis = async (key: string) => {
    const other = await caches.connect();
    await until(async () => (await content(other).get(key)) !== undefined);
    await other.onApplicationShutdown();
  };

  beforeEach(async () => {
    server = await RedisServer.reserve();
    caches = new OpenCaches(server.url);
  });
  afterEach(async () => {
    server.signal('SIGCONT');
    await caches.close();
    await server.remove();
  });

  it('starts without Redis, works from memory, and uses Redis as soon as it is there', async () => {
    const cache = await caches.open({}, 100);
    expect(cache.stats().redis.available).toBe(false);
    expect(await content(cache).getOrSet('k', load(1))).toBe(1);
    expect(await content(cache).getOrSet('k', load(2))).toBe(1);
    await server.start();
    await connected(cache);
    await content(cache).set('k', 3);
    const other = await caches.connect();
    expect(await content(other).get('k')).toBe(3);
  });

  it('closes while it is still trying to connect', async () => {
    const cache = await caches.open({}, 10);
    await expect(cache.onApplicationShutdown()).resolves.toBeUndefined();
  });

  it('goes on from the loader when Redis is killed, and comes back by itself', async () => {
    await server.start();
    const cache = await caches.connect();
    await content(cache).set('k', 1);
    await server.kill();
    await content(cache).invalidate('k');
    expect(await content(cache).getOrSet('k', load(2))).toBe(2);
    await until(() => !cache.stats().redis.available);
    expect(await content(cache).getOrSet('cold', load(3))).toBe(3);
    expect(cache.stats().redis.pendingInvalidations).toBe(1);
    await server.start();
    await connected(cache);
    expect(cache.stats().redis.pendingInvalidations).toBe(0);
  });

  it('answers from the loader while Redis is silent, opens the breaker, and closes it again', async () => {
    await server.start();
    const cache = await caches.connect({}, SHORT_MS);
    server.signal('SIGSTOP');
    const cold = Array.from({ length: 20 }, (_, i) => content(cache).getOrSet(`cold-${i}`, load(i)));
    expect(await Promise.all(cold)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await until(() => cache.stats().redis.breakerOpen);
    const { errors } = cache.stats().redis;
    expect(await content(cache).getOrSet('open', load('loaded'))).toBe('loaded');
    expect(cache.stats().redis.errors - errors).toBeLessThanOrEqual(1); // no more than a trial in the background
    server.signal('SIGCONT');
    await connected(cache);
    expect(cache.stats().redis.breakerOpen).toBe(false);
    await content(cache).set('k', 1);
    await inRedis('k');
  });

  it('does not trust Redis before the invalidations it has missed were replayed', async () => {
    await server.start();
    const cache = await caches.connect({}, SHORT_MS);
    await content(cache).set('k', 'old', { tags: ['tag'] });
    await content(cache).set('tagged', 'old', { tags: ['tag'] });
    const other = await caches.connect();
    expect(await content(other).get('k')).toBe('old');
    server.signal('SIGSTOP');
    await content(cache).invalidate('k');
    await cache.invalidateTags(['tag']);
    expect(cache.stats().redis).toMatchObject({ available: false, pendingInvalidations: 2 });
    expect(await content(cache).get('k')).toBeUndefined();
    server.signal('SIGCONT');
    await connected(cache);
    expect(cache.stats().redis.pendingInvalidations).toBe(0);
    expect(await content(cache).get('k')).toBeUndefined();
    await until(async () => (await content(other).get('k')) === undefined);
    await until(async () => (await content(other).get('tagged')) === undefined);
  });

  it('invalidates what a set could not replace', async () => {
    await server.start();
    const cache = await caches.connect({}, SHORT_MS);
    await content(cache).set('k', 'old');
    server.signal('SIGSTOP');
    await content(cache).set('k', 'new');
    expect(cache.stats().redis.pendingInvalidations).toBe(1);
    expect(await content(cache).get('k')).toBe('new');
    server.signal('SIGCONT');
    await connected(cache);
    const other = await caches.connect();
    expect(await content(other).get('k')).not.toBe('old');
  });

  it('serves nothing stale after the subscription was cut while another process wrote', async () => {
    await server.start();
    const [a, b] = await Promise.all([caches.connect(), caches.connect()]);
    await content(a).set('k', 'old');
    await until(() => b.stats().redis.messages > 0);
    expect(await content(b).get('k')).toBe('old');
    await kill('pubsub');
    await content(a).set('k', 'new');
    await until(() => b.stats().redis.suspicions === 1);
    await until(() => b.stats().redis.subscribed);
    expect(await content(b).get('k')).toBe('new');
  });

  it('does not store a load during which the subscription was cut', async () => {
    await server.start();
    const cache = await caches.connect();
    const gate = new Gate<string>();
    const loading = content(cache).getOrSet('k', gate.load);
    await gate.reached;
    await kill('pubsub');
    await until(() => cache.stats().redis.suspicions === 1);
    gate.open('old');
    expect(await loading).toBe('old');
    expect(cache.stats().memory.entries).toBe(0);
    expect(await content(cache).get('k')).toBeUndefined();
  });

  it('gets over a lost connection and flushed scripts without losing an invalidation', async () => {
    await server.start();
    const cache = await caches.connect();
    await content(cache).set('k', 1);
    await kill('normal');
    await content(cache).invalidate('k');
    await connected(cache);
    await content(cache).set('l', 1);
    await withAdmin((redis) => redis.sendCommand(['SCRIPT', 'FLUSH']));
    await content(cache).invalidate('l');
    await until(() => cache.stats().redis.pendingInvalidations === 0);
    await connected(cache);
    const other = await caches.connect();
    expect(await content(other).get('k')).toBeUndefined();
    expect(await content(other).get('l')).toBeUndefined();
  });

  it('executes nothing of a lost connection after the invalidations that were replayed on the next', async () => {
    await server.start();
    const proxy = await HoldingProxy.start(server.port);
    const throughProxy = new OpenCaches(proxy.url, caches.prefix);
    const cache = await throughProxy.connect({}, SHORT_MS);
    await content(cache).set('k', 'old');
    proxy.hold();
    await content(cache).set('k', 'late');
    proxy.cut();
    await connected(cache);
    await content(cache).set('k', 'new');
    await proxy.release();
    expect(await content(await caches.connect()).get('k')).toBe('new');
    await throughProxy.close();
    await proxy.stop();
  });

  it('starts cold after a restart that brought an older state back', async () => {
    await server.start();
    const cache = await caches.connect();
    await content(cache).set('k', 'old');
    await withAdmin((redis) => redis.save());
    await content(cache).invalidate('k');
    await server.kill();
    await server.start();
    await connected(cache);
    expect(await withAdmin((redis) => redis.keys('*:k:content:k'))).toHaveLength(1);
    expect(await content(cache).get('k')).toBeUndefined();
    expect(await content(await caches.connect()).get('k')).toBeUndefined();
  });

  it('does not store in Redis what was loaded across a restart', async () => {
    await server.start();
    const cache = await caches.connect();
    const gate = new Gate<string>();
    const loading = content(cache).getOrSet('k', gate.load);
    await gate.reached;
    await server.kill();
    await server.start();
    await connected(cache);
    gate.open('loaded');
    expect(await loading).toBe('loaded');
    expect(await content(await caches.connect()).get('k')).toBeUndefined();
  });
});
