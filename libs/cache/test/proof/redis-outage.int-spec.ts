import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Cache } from '../../src/index.js';
import { createRedisClient } from '../../src/redis/redis-client.js';
import { connected, Gate, OpenCaches } from '../open-caches.js';
import { RedisServer } from '../redis-server.js';
import { until } from '../until.js';

const SHORT_MS = 400;

describe('a Redis that goes away in the middle of a load', () => {
  let server: RedisServer;
  let caches: OpenCaches;
  const content = (cache: Cache) => cache.namespace('content');
  const load = (value: unknown) => () => Promise.resolve(value);
  const admin = async (...command: string[]) => {
    const redis = createRedisClient({ url: server.url });
    await redis.connect();
    try {
      return await redis.sendCommand(command);
    } finally {
      await redis.disconnect();
    }
  };
  /** Starts a load that is held. */
  const loading = async (cache: Cache, options = {}) => {
    const gate = new Gate<string>();
    const waiting = Array.from({ length: 20 }, () => content(cache).getOrSet('k', gate.load, options));
    await gate.reached;
    return { gate, all: Promise.all(waiting) };
  };
  const twenty = (value: string) => Array.from({ length: 20 }, () => value);

  beforeEach(async () => {
    server = await RedisServer.start();
    caches = new OpenCaches(server.url);
  });
  afterEach(async () => {
    server.signal('SIGCONT');
    await caches.close();
    await server.remove();
  });

  const SINGLE_FLIGHTS = [{}, { singleFlight: 'cluster', leaseMs: 1_000 }] as const;

  describe.each(SINGLE_FLIGHTS)('with %p', (options) => {
    it('gives the value to all who wait when it is killed', async () => {
      const cache = await caches.connect({}, SHORT_MS);
      const { gate, all } = await loading(cache, options);
      await server.kill();
      gate.open('value');
      expect(await all).toEqual(twenty('value'));
      expect(await content(cache).getOrSet('k', load('again'), options)).toBe('value');
    });

    it('gives the value to all who wait while it is stopped, and does not let it block later loads', async () => {
      const cache = await caches.connect({}, SHORT_MS);
      const { gate, all } = await loading(cache, options);
      server.signal('SIGSTOP');
      gate.open('value');
      expect(await all).toEqual(twenty('value'));
      expect(await content(cache).getOrSet('cold', load('cold'), options)).toBe('cold');
      server.signal('SIGCONT');
      await connected(cache);
      const other = await caches.connect();
      expect(await content(other).getOrSet('k', load('value'), options)).toBe('value');
    });

    it('keeps nothing of before when it comes back empty, and takes what comes after', async () => {
      const cache = await caches.connect({}, SHORT_MS);
      const { gate, all } = await loading(cache, options);
      await server.kill();
      await server.start();
      await connected(cache);
      gate.open('value');
      expect(await all).toEqual(twenty('value'));
      const other = await caches.connect();
      expect(await content(other).get('k')).toBeUndefined();
      expect(await content(other).getOrSet('k', load('new'), options)).toBe('new');
      await until(async () => (await content(await caches.connect()).get('k')) === 'new');
    });

    it('does not keep what was overtaken while it was away', async () => {
      const cache = await caches.connect({}, SHORT_MS);
      const { gate, all } = await loading(cache, options);
      server.signal('SIGSTOP');
      await content(cache).invalidate('k');
      gate.open('old');
      expect(await all).toEqual(twenty('old'));
      expect(await content(cache).getOrSet('k', load('new'), options)).toBe('new');
      server.signal('SIGCONT');
      await connected(cache);
      expect(await content(cache).get('k')).not.toBe('old');
      expect(await content(await caches.connect()).get('k')).not.toBe('old');
    });

    it('stores no load whose generations were wiped, and keeps an invalidation that came after', async () => {
      const [cache, other] = await Promise.all([caches.connect(), caches.connect()]);
      const { gate, all } = await loading(cache, { ...options, tags: ['tag'] });
      await admin('FLUSHALL');
      await other.invalidateTags(['tag']);
      gate.open('old');
      expect(await all).toEqual(twenty('old'));
      await until(() => cache.stats().redis.messages > 0);
      expect(await content(cache).get('k')).toBeUndefined();
      expect(await content(await caches.connect()).get('k')).toBeUndefined();
    });
  });

  it('stays correct while Redis evicts keys, generations too', async () => {
    await admin('CONFIG', 'SET', 'maxmemory', '4mb', 'maxmemory-policy', 'allkeys-random');
    const [writer, reader] = await Promise.all([
      caches.connect({}, 2_000),
      // Looks into Redis each time.
      caches.connect({ memory: { ttlMs: 1 } }, 2_000),
    ]);
    const versions = new Map<string, number>();
    const at = (key: string) => versions.get(key) ?? 0;
    // Does not compress: 400 of them are more than Redis may hold.
    const filler = randomBytes(12_000).toString('base64');
    const value = (key: string) => ({ version: at(key), filler });
    for (let round = 0; round < 6_000; round++) {
      const key = `k${(round * 7_919) % 400}`;
      const tags = [`t${key}`];
      if (round % 3 === 0) {
        versions.set(key, at(key) + 1);
        await (round % 2 === 0 ? content(writer).invalidate(key) : writer.invalidateTags(tags));
      } else {
        const cache = round % 2 === 0 ? writer : reader;
        const got = await content(cache).getOrSet(key, load(value(key)), { tags });
        // The reader may not have heard of it yet: what it has in memory lives for a millisecond.
        if (cache === writer) expect(got).toMatchObject({ version: at(key) });
      }
    }
    expect(String(await admin('INFO', 'stats'))).toMatch(/evicted_keys:[1-9]/);
    for (const key of versions.keys()) {
      const found = await content(reader).get<{ version: number }>(key);
      expect(found?.version ?? at(key)).toBe(at(key));
    }
  }, 60_000);
});
