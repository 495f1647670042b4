import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import type { Cache } from '../src/index.js';
import { createRedisClient, type RedisClient } from '../src/redis/redis-client.js';
import { Gate, OpenCaches } from './open-caches.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

describe('two processes on one Redis', () => {
  let caches: OpenCaches;
  let redis: RedisClient;
  let a: Cache;
  let b: Cache;
  const content = (cache: Cache) => cache.namespace('content');
  const notCalled = () => Promise.reject(new Error('the loader must not run'));
  const inRedis = async (cache: Cache, key: string) => {
    await until(async () => (await stored(key)) !== null);
    return content(cache).get(key);
  };
  const stored = async (key: string) => {
    const [name] = await redis.keys(`{${caches.prefix}:*}:*:v2.0:content:${key}`);
    return name === undefined ? null : ((await redis.get(name)) ?? null);
  };
  /** All bus messages of `from` have been handled by `to`: one more, sent after them, has arrived. */
  const heard = async (from: Cache, to: Cache) => {
    const before = to.stats().redis.messages;
    await content(from).invalidate('nothing');
    await until(() => to.stats().redis.messages > before);
  };

  beforeAll(async () => {
    caches = new OpenCaches(redisUrl());
    redis = createRedisClient({ url: redisUrl() });
    await redis.connect();
  });
  beforeEach(async () => {
    await removeRedisKeys(redisUrl(), caches.prefix);
    [a, b] = await Promise.all([caches.connect(), caches.connect()]);
    await a.flush();
    await until(() => b.stats().redis.messages > 0);
  });
  afterEach(() => caches.close());
  afterAll(async () => {
    await redis.disconnect();
    await removeRedisKeys(redisUrl(), caches.prefix);
  });

  it('gives what one process loaded to the other without loading again', async () => {
    await content(a).getOrSet('k', () => Promise.resolve({ text: 'loaded' }));
    await inRedis(a, 'k');
    expect(await content(b).getOrSet('k', notCalled)).toEqual({ text: 'loaded' });
    expect(b.stats().namespaces['content']?.redis.hits).toBe(1);
    expect(await content(b).getOrSet('k', notCalled)).toEqual({ text: 'loaded' });
    expect(b.stats().namespaces['content']?.memory.hits).toBe(1);
  });

  it('brings every kind of value back from Redis as memory gives it', async () => {
    const part = { shared: true };
    const value = {
      date: new Date(86_400_000),
      map: new Map<unknown, unknown>([[1, new Set(['a', 2n])]]),
      huge: 2n ** 90n,
      bytes: Buffer.from([0, 255, 13, 10]),
      undefinedField: undefined,
      none: null,
      list: [part, part],
      text: 'ü😀 "quoted"\0',
      words: { constructor: 1, toJSON: 2, hasOwnProperty: 3 },
    };
    await content(a).set('types', value);
    expect(await content(b).get('types')).toEqual(value);
    expect(await content(b).get('types')).toEqual(await content(a).get('types'));
    const { bytes, list } = (await content(b).get<typeof value>('types'))!;
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect(list[0]).toBe(list[1]);
  });

  it.each([null, 0, '', false])('keeps %p as a value', async (value) => {
    await content(a).getOrSet('falsy', () => Promise.resolve(value));
    await inRedis(a, 'falsy');
    expect(await content(b).getOrSet('falsy', notCalled)).toBe(value);
  });

  it('drops the copy of the other process on delete, set, tag, clear and flush', async () => {
    const invalidations: ((cache: Cache) => Promise<void>)[] = [
      (it) => content(it).invalidate('k'),
      (it) => content(it).invalidateMany(['other', 'k']),
      (it) => content(it).set('k', 'new'),
      (it) => content(it).invalidateTags(['tag']),
      (it) => it.invalidateTags(['tag']),
      (it) => content(it).clear(),
      (it) => it.flush(),
    ];
    for (const invalidate of invalidations) {
      await content(a).set('k', 'old', { tags: ['tag'] });
      await heard(a, b);
      expect(await content(b).get('k')).toBe('old');
      await invalidate(a);
      await heard(a, b);
      expect(await content(b).get('k')).not.toBe('old');
    }
  });

  it('leaves tags of other namespaces alone unless the cache itself is asked', async () => {
    await content(a).set('k', 1, { tags: ['tag'] });
    await b.namespace('search').invalidateTags(['tag']);
    await heard(b, a);
    expect(await content(a).get('k')).toBe(1);
    await b.invalidateTags(['tag']);
    await heard(b, a);
    expect(await content(a).get('k')).toBeUndefined();
  });

  it.each<[string, (cache: Cache) => Promise<void>]>([
    ['a delete', (it) => content(it).invalidate('k')],
    ['a tag', (it) => it.invalidateTags(['tag'])],
    ['a clear', (it) => content(it).clear()],
    ['a flush', (it) => it.flush()],
  ])('stores nothing when %s in the other process overtakes the load', async (_, invalidate) => {
    const gate = new Gate<string>();
    const loading = content(a).getOrSet('k', gate.load, { tags: ['tag'] });
    await gate.reached;
    await invalidate(b);
    gate.open('old');
    expect(await loading).toBe('old');
    await until(() => a.stats().namespaces['content']?.loads.overtaken === 1);
    expect(await stored('k')).toBeNull();
    await heard(b, a);
    expect(await content(a).get('k')).toBeUndefined();
    expect(await content(b).getOrSet('k', () => Promise.resolve('new'))).toBe('new');
  });

  it('keeps no copy in memory of a load that Redis refused, whether or not a message came', async () => {
    const gate = new Gate<string>();
    const loading = content(a).getOrSet('k', gate.load);
    await gate.reached;
    await redis.del(await redis.keys(`{${caches.prefix}:*}:*:k:content:k`));
    gate.open('old');
    expect(await loading).toBe('old');
    await until(() => a.stats().namespaces['content']?.loads.overtaken === 1);
    expect(a.stats().memory.entries).toBe(0);
  });

  it('keeps what the other process set, when a load of before ends after it', async () => {
    const gate = new Gate<string>();
    const loading = content(a).getOrSet('k', gate.load);
    await gate.reached;
    await content(b).set('k', 'new');
    gate.open('old');
    await loading;
    await until(() => a.stats().namespaces['content']?.loads.overtaken === 1);
    await heard(b, a);
    expect(await content(a).get('k')).toBe('new');
  });

  it('does not promote a value that was overtaken while Redis was being read', async () => {
    await content(b).set('k', 'old');
    await heard(b, a);
    // The read leaves first; the local write happens before its answer arrives.
    const reading = content(a).get('k');
    const writing = content(a).set('k', 'new');
    expect(await reading).toBe('old');
    await writing;
    expect(await content(a).get('k')).toBe('new');
  });

  it('survives tags whose generations Redis has evicted', async () => {
    await content(a).set('k', 'old', { tags: ['tag'] });
    await content(b).invalidateTags(['tag']);
    const generations = await redis.keys(`{${caches.prefix}:*}:*:t:*`);
    if (generations.length > 0) await redis.del(generations);
    await heard(b, a);
    expect(await content(a).get('k')).toBeUndefined();
    expect(await content(b).get('k')).toBeUndefined();
  });

  it('lets entries, and the generations behind them, expire', async () => {
    await content(a).set('k', 1, { ttlMs: 50_000, tags: ['tag'] });
    await content(a).getOrSet('missing', () => Promise.resolve(undefined));
    for (const key of await redis.keys(`{${caches.prefix}:*}:*:*`)) {
      expect(await redis.pTTL(key)).toBeGreaterThan(0);
    }
    const [entry] = await redis.keys(`{${caches.prefix}:*}:*:v2.0:content:k`);
    expect(await redis.pTTL(entry!)).toBeLessThanOrEqual(50_000);
    const [tag] = await redis.keys(`{${caches.prefix}:*}:*:t:content:tag`);
    expect(await redis.pTTL(tag!)).toBeGreaterThan(50_000);
  });

  it('takes a damaged entry for a miss, and replaces it', async () => {
    await content(a).set('k', 'good');
    const [name] = await redis.keys(`{${caches.prefix}:*}:*:v2.0:content:k`);
    await redis.set(name!, 'garbage');
    expect(await content(b).getOrSet('k', () => Promise.resolve('loaded'))).toBe('loaded');
    await until(async () => (await stored('k')) !== 'garbage');
    expect(await content(await caches.connect()).getOrSet('k', notCalled)).toBe('loaded');
    expect(b.stats().redis).toMatchObject({ undecodable: 1, errors: 0 });
  });

  it('asks Redis about its memory when numbered messages of a publisher are missing', async () => {
    await content(b).set('k', 1);
    await content(b).set('gone', 1);
    const publish = (s: number) =>
      redis.publish(`${caches.prefix}:invalidations`, JSON.stringify({ p: 'other', s, c: ['k:content:x'] }));
    await publish(1);
    await publish(2);
    await heard(a, b);
    expect(b.stats().redis.suspicions).toBe(0);
    // What the missing message was about has happened in Redis.
    await redis.del(await redis.keys(`{${caches.prefix}:*}:*:content:gone`));
    await publish(4);
    await until(() => b.stats().redis.suspicions === 1);
    expect(await content(b).get('gone')).toBeUndefined();
    expect(await content(b).get('k')).toBe(1);
    expect(b.stats().namespaces['content']?.redis.hits).toBe(1);
    expect(await content(b).get('k')).toBe(1);
    expect(b.stats().namespaces['content']?.redis.hits).toBe(1);
  });

  it('invalidates thousands of keys in one call', async () => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `many-${i}`);
    await content(a).set(keys[2_400]!, 1);
    await content(b).invalidateMany(keys);
    await heard(b, a);
    expect(await content(a).get(keys[2_400]!)).toBeUndefined();
  });

  it('closes once, may be closed twice, and answers from the loader afterwards', async () => {
    await a.onApplicationShutdown();
    await a.onApplicationShutdown();
    expect(await content(a).getOrSet('k', () => Promise.resolve(1))).toBe(1);
    await expect(content(a).invalidate('k')).resolves.toBeUndefined();
  });
});
