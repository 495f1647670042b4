import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cache } from '../src/index.js';
import { hashTag } from '../src/redis/bucket.js';
import { slotOfTag } from '../src/redis/cluster-slots.js';
import { Gate, OpenCaches } from './open-caches.js';
import { RedisCluster } from './redis-cluster.js';
import { ask, type RedisServer } from './redis-server.js';
import { until } from './until.js';

const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`);

describe('a cluster of three masters', () => {
  let cluster: RedisCluster;
  let caches: OpenCaches;
  const content = (cache: Cache) => cache.namespace('content');
  const notCalled = () => Promise.reject(new Error('the loader must not run'));
  const whole = (cache: Cache) => until(() => usableBuckets(cache) === 64 && cache.stats().redis.subscribed);
  const servers = (cache: Cache) => cache.stats().redis.servers;
  const usableBuckets = (cache: Cache) =>
    servers(cache).reduce((sum, it) => sum + (it.ready ? it.buckets : 0), 0);
  const heard = async (from: Cache, to: Cache) => {
    const before = to.stats().redis.messages;
    await content(from).invalidate('nothing');
    await until(() => to.stats().redis.messages > before);
  };
  const open = async (buckets = 64) => {
    caches = new OpenCaches({ cluster: { nodes: [cluster.urls[0]!], buckets } });
    const both = await Promise.all([caches.connect(), caches.connect()]);
    if (buckets === 64) await Promise.all(both.map(whole));
    return both;
  };

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  }, 60_000);
  afterEach(() => caches.close());
  afterAll(() => cluster.remove());

  it('spreads the entries over all masters, which it finds from one', async () => {
    const [a, b] = await open();
    expect(servers(a)).toHaveLength(3);
    await content(a).setMany(
      KEYS.map((key) => [key, { key }] as const),
      { tags: ['all'] },
    );
    await heard(a, b);
    for (const { url } of cluster.masters) expect(Number(await ask(url, 'DBSIZE'))).toBeGreaterThan(20);
    const found = await content(b).getMany(KEYS);
    expect(found.size).toBe(KEYS.length);
    expect(b.stats().namespaces['content']?.redis.hits).toBe(KEYS.length);
    expect(await content(b).getOrSet('k7', notCalled)).toEqual({ key: 'k7' });
  });

  it('invalidates a tag, a namespace and everything in all buckets', async () => {
    const [a, b] = await open();
    const ways: ((cache: Cache) => Promise<void>)[] = [
      (it) => content(it).invalidateTags(['all']),
      (it) => it.invalidateTags(['all']),
      (it) => content(it).clear(),
      (it) => it.flush(),
      (it) => content(it).invalidateMany(KEYS),
    ];
    for (const invalidate of ways) {
      await content(a).setMany(
        KEYS.map((key) => [key, key] as const),
        { tags: ['all'] },
      );
      await heard(a, b);
      expect((await content(b).getMany(KEYS)).size).toBe(KEYS.length);
      await invalidate(a);
      expect((await content(a).getMany(KEYS)).size).toBe(0);
      await heard(a, b);
      expect((await content(b).getMany(KEYS)).size).toBe(0);
    }
    expect(b.stats().redis).toMatchObject({ suspicions: 0, errors: 0 });
  });

  it('stores nothing when an invalidation in the other process overtakes the load', async () => {
    const [a, b] = await open();
    const gate = new Gate<string>();
    const loading = content(a).getOrSet('k', gate.load, { tags: ['tag'] });
    await gate.reached;
    await b.invalidateTags(['tag']);
    gate.open('old');
    expect(await loading).toBe('old');
    await until(() => a.stats().namespaces['content']?.loads.overtaken === 1);
    await heard(b, a);
    expect(await content(a).get('k')).toBeUndefined();
  });

  it('loses the buckets of a master that dies and no others, and replays what they have missed', async () => {
    const [a, b] = await open();
    await content(a).setMany(
      KEYS.map((key) => [key, 'old'] as const),
      { tags: ['all'] },
    );
    await heard(a, b);
    const [, victim] = cluster.masters;
    const lost = servers(a).find((it) => it.name.endsWith(`:${victim!.port}`))!.buckets;
    await victim!.kill();
    await until(() => usableBuckets(a) === 64 - lost && usableBuckets(b) === 64 - lost);
    // Nothing fails: what is there comes from Redis, the rest from the loader.
    let loads = 0;
    const load = () => Promise.resolve(`loaded ${++loads}`);
    const other = await caches.open();
    await until(() => usableBuckets(other) === 64 - lost);
    await Promise.all(KEYS.map((key) => content(other).getOrSet(key, load)));
    expect(loads).toBeGreaterThan(0);
    expect(loads).toBeLessThan(KEYS.length / 2);
    await content(a).invalidateTags(['all']);
    expect(a.stats().redis.pendingInvalidations).toBe(1);
    await victim!.start();
    await cluster.settled();
    await Promise.all([a, b].map(whole));
    await until(() => a.stats().redis.pendingInvalidations === 0);
    await heard(a, b);
    expect((await content(a).getMany(KEYS)).size).toBe(0);
    expect((await content(b).getMany(KEYS)).size).toBe(0);
  }, 60_000);

  describe('when a slot moves', () => {
    let slot: number;
    let from: RedisServer;
    let to: RedisServer;
    /** All entries are in one bucket, and so in one slot. */
    const openAt = async () => {
      const both = await open(1);
      slot = slotOfTag(hashTag(caches.prefix, 0).slice(1, -1));
      from = await cluster.ownerOf(slot);
      to = cluster.masters.find((it) => it !== from)!;
      return both;
    };
    const isAt = (cache: Cache, server: RedisServer) =>
      until(
        () =>
          servers(cache).length === 1 &&
          servers(cache)[0]!.name.endsWith(`:${server.port}`) &&
          cache.stats().redis.available,
      );

    it('serves nothing stale, whatever is invalidated on the way, and follows it', async () => {
      const [a, b] = await openAt();
      await content(a).setMany(
        KEYS.map((key) => [key, 'old'] as const),
        { tags: ['all'] },
      );
      await heard(a, b);
      await cluster.beginMove(slot, from, to);
      await cluster.moveKeys(slot, from, to, 100);
      await content(a).invalidateMany(KEYS);
      for (const key of KEYS) expect(await content(a).get(key)).toBeUndefined();
      await cluster.moveKeys(slot, from, to);
      await content(a).set('late', 1);
      await cluster.endMove(slot, to);
      await content(a).invalidate('late');
      await Promise.all([a, b].map((it) => isAt(it, to)));
      await until(() => a.stats().redis.pendingInvalidations === 0);
      await until(async () => (await content(b).getMany([...KEYS, 'late'])).size === 0);
      await content(a).set('k', 'new');
      await heard(a, b);
      expect(await content(b).get('k')).toBe('new');
    }, 30_000);

    it('brings nothing back when it returns with what it had left with', async () => {
      const [a] = await openAt();
      const idle = await caches.connect();
      await content(a).set('k', 'old');
      await cluster.beginMove(slot, from, to);
      await cluster.moveKeys(slot, from, to);
      await cluster.endMove(slot, to);
      await content(a).invalidate('x');
      await isAt(a, to);
      await content(a).invalidate('k');
      await cluster.beginMove(slot, to, from);
      await cluster.moveKeys(slot, to, from);
      await cluster.endMove(slot, from);
      // It has noticed nothing of all that, and its connection is the old one.
      expect(await content(idle).get('k')).toBeUndefined();
      await content(a).invalidate('x');
      await isAt(a, from);
      expect(await content(a).get('k')).toBeUndefined();
    }, 30_000);
  });

  it('is not taken for a single server, and says so', async () => {
    caches = new OpenCaches({ url: cluster.urls[0]! });
    const cache = await caches.open();
    await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_UNSUPPORTED');
    expect(await content(cache).getOrSet('k', () => Promise.resolve(1))).toBe(1);
  });
});
