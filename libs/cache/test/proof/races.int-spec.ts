import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import type { Cache } from '../../src/index.js';
import { Gate } from '../open-caches.js';
import { redisUrl } from '../redis-url.js';
import { until } from '../until.js';
import { Instances } from './instances.js';

/** No read is to fail for its deadline here, however busy the machine. */
const PATIENT_MS = 10_000;

describe('invalidations that meet loads and reads', () => {
  let prefix: string;
  let instances: Instances;
  let here: Cache;
  let there: Cache;
  const content = (cache: Cache) => cache.namespace('content');
  const load = (value: unknown) => () => Promise.resolve(value);

  beforeEach(async () => {
    prefix = `proof-races-${process.pid}-${performance.now()}`;
    instances = new Instances(redisUrl(), { prefix }, PATIENT_MS);
    here = (await instances.open()).cache;
    there = (await instances.open()).cache;
  });
  afterEach(async () => {
    await Promise.all(instances.live.map(({ link }) => link.calm()));
    await instances.close();
    await removeRedisKeys(redisUrl(), prefix);
  });

  const OVERTAKE: readonly [string, (cache: Cache) => Promise<void>, unknown][] = [
    ['the key is invalidated', (cache) => content(cache).invalidate('k'), undefined],
    ['many keys are invalidated', (cache) => content(cache).invalidateMany(['x', 'k']), undefined],
    ['its tag is invalidated', (cache) => content(cache).invalidateTags(['tag']), undefined],
    ['its tag is invalidated everywhere', (cache) => cache.invalidateTags(['tag']), undefined],
    ['its content is invalidated by hash', (cache) => cache.invalidateContent('hash'), undefined],
    ['the namespace is cleared', (cache) => cache.clearNamespace('content'), undefined],
    ['everything is flushed', (cache) => cache.flush(), undefined],
    ['the key is set', (cache) => content(cache).set('k', 'new', { tags: ['tag'] }), 'new'],
    ['many keys are set', (cache) => content(cache).setMany([['k', 'new']]), 'new'],
  ];

  describe.each(OVERTAKE)('while a value is being loaded and %s', (_title, overtake, expected) => {
    const options = { tags: ['tag'], contentHashes: ['hash'] };

    it('in this process: the old value goes to those who waited, and stays nowhere', async () => {
      const gate = new Gate<string>();
      const waiting = content(here).getOrSet('k', gate.load, options);
      await gate.reached;
      await overtake(here);
      gate.open('old');
      expect(await waiting).toBe('old');
      expect(await content(here).get('k')).toBe(expected);
      expect(await content((await instances.open()).cache).get('k')).toBe(expected);
    });

    it('in another process: the old value stays nowhere once the news has come', async () => {
      const gate = new Gate<string>();
      const waiting = content(here).getOrSet('k', gate.load, options);
      await gate.reached;
      await overtake(there);
      gate.open('old');
      expect(await waiting).toBe('old');
      await instances.settle();
      expect(await content(here).get('k')).toBe(expected);
      expect(await content((await instances.open()).cache).get('k')).toBe(expected);
    });

    it('in another process, and the news is late: Redis refuses the old value', async () => {
      const gate = new Gate<string>();
      const waiting = content(here).getOrSet('k', gate.load, options);
      await gate.reached;
      instances.at(0).link.hold('toClient', 'subscriptions');
      await overtake(there);
      gate.open('old');
      expect(await waiting).toBe('old');
      await until(() => here.stats().namespaces['content']!.loads.overtaken === 1);
      expect(await content(here).get('k')).toBe(expected);
      expect(await content((await instances.open()).cache).get('k')).toBe(expected);
    });
  });

  it('does not join callers to a load from before an invalidation', async () => {
    const [old, fresh] = [new Gate<string>(), new Gate<string>()];
    const before = content(here).getOrSet('k', old.load);
    await old.reached;
    await content(here).invalidate('k');
    const after = content(here).getOrSet('k', fresh.load);
    await fresh.reached;
    fresh.open('new');
    expect(await after).toBe('new');
    old.open('old');
    expect(await before).toBe('old');
    expect(await content(here).get('k')).toBe('new');
  });

  it.each([
    ['set', (cache: Cache) => content(cache).set('k', 'new'), 'new'],
    ['invalidation', (cache: Cache) => content(cache).invalidate('k'), undefined],
    ['tag invalidation', (cache: Cache) => cache.invalidateTags(['tag']), undefined],
  ])('does not promote what it read from Redis before a remote %s', async (_title, write, expected) => {
    await content(there).set('k', 'old', { tags: ['tag'] });
    await instances.settle();
    const { link } = instances.at(0);
    link.hold('toClient', 'commands');
    const reading = content(here).get('k');
    await until(() => link.waitingBytes > 0);
    const { messages } = here.stats().redis;
    await write(there);
    await until(() => here.stats().redis.messages > messages);
    await link.release();
    // It asked before the write was acknowledged: either answer is right for it, and only one for those who follow.
    expect(['old', expected]).toContain(await reading);
    expect(await content(here).get('k')).toBe(expected);
  });

  it.each([
    ['set', (cache: Cache) => content(cache).set('k', 'new'), 'new'],
    ['invalidation', (cache: Cache) => content(cache).invalidate('k'), undefined],
  ])('serves nothing old once the bus, cut during a remote %s, is back', async (_title, write, expected) => {
    await content(there).set('k', 'old');
    await instances.settle();
    expect(await content(here).get('k')).toBe('old');
    const { link } = instances.at(0);
    link.drop('toClient', 'subscriptions');
    await write(there);
    await until(() => link.swallowedBytes > 0);
    // It can not know: this is what the life of a copy in memory bounds.
    expect(await content(here).get('k')).toBe('old');
    const { accepted } = link;
    link.drop('none');
    await until(() => link.accepted > accepted && here.stats().redis.subscribed);
    expect(await content(here).get('k')).toBe(expected);
  });

  it('does not join callers to a load from before a gap of the bus', async () => {
    const [old, fresh] = [new Gate<string>(), new Gate<string>()];
    const before = content(here).getOrSet('k', old.load);
    await old.reached;
    const { link } = instances.at(0);
    link.drop('toClient', 'subscriptions');
    await content(there).invalidate('k');
    await until(() => link.swallowedBytes > 0);
    const { accepted } = link;
    link.drop('none');
    await until(() => link.accepted > accepted && here.stats().redis.subscribed);
    const after = content(here).getOrSet('k', fresh.load);
    fresh.open('new');
    // Open in any case, so that the one who joined it would see the old value.
    setImmediate(() => old.open('old'));
    expect(await after).toBe('new');
    expect(await before).toBe('old');
    expect(await content(here).get('k')).toBe('new');
  });

  it('serves a copy no longer than memory.ttlMs while the bus is cut', async () => {
    await content(there).set('k', 'old');
    await instances.settle();
    expect(await content(here).get('k')).toBe('old');
    instances.at(0).link.drop('toClient', 'subscriptions');
    await content(there).set('k', 'new');
    instances.clock.advance(60_000);
    expect(await content(here).get('k')).toBe('new');
  });

  it('runs a failing loader once for 200 who wait, and gives its error to all', async () => {
    const error = new Error('the source is away');
    const failing = Promise.withResolvers<never>();
    let runs = 0;
    const loader = () => {
      runs++;
      return failing.promise;
    };
    const waiting = Array.from({ length: 200 }, () => content(here).getOrSet('k', loader));
    await until(() => runs > 0);
    failing.reject(error);
    for (const it of await Promise.allSettled(waiting))
      expect(it).toEqual({ status: 'rejected', reason: error });
    expect(runs).toBe(1);
    expect(await content(here).getOrSet('k', load('value'))).toBe('value');
  });

  it('gives an error to later callers for errorTtlMs and not longer, and only the errors it is told to', async () => {
    let runs = 0;
    const fail = (message: string) => () => {
      runs++;
      return Promise.reject(new Error(message));
    };
    const cacheError = (error: unknown) => (error as Error).message === 'keep';
    const options = { errorTtlMs: 1_000, cacheError };
    await expect(content(here).getOrSet('k', fail('keep'), options)).rejects.toThrow('keep');
    await expect(content(here).getOrSet('k', fail('other'), options)).rejects.toThrow('keep');
    expect(runs).toBe(1);
    instances.clock.advance(1_000);
    await expect(content(here).getOrSet('k', fail('drop'), options)).rejects.toThrow('drop');
    expect(await content(here).getOrSet('k', load('value'), options)).toBe('value');
  });
});
