import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import type { Cache } from '../../src/index.js';
import { OpenCaches } from '../open-caches.js';
import { redisUrl } from '../redis-url.js';
import { until } from '../until.js';

const MIB = 2 ** 20;

describe('values that are difficult', () => {
  let caches: OpenCaches;
  let cache: Cache;
  const content = (from = cache) => from.namespace('content');
  const load = (value: unknown) => () => Promise.resolve(value);
  const connect = () => caches.connect({}, 10_000);

  beforeEach(async () => {
    caches = new OpenCaches(redisUrl());
    cache = await connect();
  });
  afterEach(async () => {
    await caches.close();
    await removeRedisKeys(redisUrl(), caches.prefix);
  });

  const make = () => ({
    list: [{ n: 1 }],
    date: new Date(0),
    bytes: Buffer.from([1, 2]),
    map: new Map([['a', { n: 1 }]]),
    set: new Set([1]),
  });
  type Value = ReturnType<typeof make>;

  /** Everything that a careless reader may try; what is frozen throws. */
  const CHANGES: readonly ((value: Value) => unknown)[] = [
    (value) => value.list.push({ n: 2 }),
    (value) => (value.list[0]!.n = 2),
    (value) => value.date.setFullYear(1999),
    (value) => (value.bytes[0] = 9),
    (value) => value.map.set('b', { n: 2 }),
    (value) => (value.map.get('a')!.n = 2),
    (value) => value.set.add(2),
    (value) => Object.assign(value, { extra: true }),
    (value) => Reflect.deleteProperty(value, 'list'),
  ];
  const spoil = (value: Value) => {
    for (const change of CHANGES) {
      try {
        change(value);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
    }
  };

  it.each([false, true])('is not changed through what it handed out (clone: %p)', async (clone) => {
    const options = { clone };
    const loaded = make();
    spoil(await content().getOrSet('k', load(loaded) as () => Promise<Value>, options));
    spoil(loaded);
    for (const from of [cache, await connect()]) {
      for (let i = 0; i < 2; i++) {
        const got = await content(from).getOrSet<Value>(
          'k',
          () => Promise.reject(new Error('not kept')),
          options,
        );
        expect(got).toEqual(make());
        spoil(got);
        expect(await content(from).get('k')).toEqual(make());
      }
    }
  });

  it('gives a copy that may be changed when clone is asked for', async () => {
    await content().set('k', make());
    const mine = await content().getOrSet<Value>('k', () => Promise.reject(new Error('not kept')), {
      clone: true,
    });
    mine.list.push({ n: 2 });
    mine.list[0]!.n = 7;
    expect(mine.list).toEqual([{ n: 7 }, { n: 2 }]);
    expect(await content().get('k')).toEqual(make());
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = { back: circular };
  const throwing = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });

  it.each([
    ['a circular value', circular],
    ['a function', () => 1],
    ['an object with a function', { run: () => 1 }],
    ['a symbol', Symbol('s')],
    ['an error', new Error('value')],
    ['a promise within', { later: Promise.resolve(1) }],
    ['a getter that throws', throwing],
    ['a stream', new ReadableStream()],
    ['a weak map', new WeakMap()],
  ])('hands %s through as it is, keeps nothing, and counts it', async (_title, value) => {
    expect(await content().getOrSet('k', load(value))).toBe(value);
    expect(await content().get('k')).toBeUndefined();
    expect(await content().getOrSet('k', load('next'))).toBe('next');
    expect(cache.stats().namespaces['content']!.loads.refused).toBe(1);
    // The old entry must not stay where the new one can not take its place.
    await content().set('k', value);
    expect(await content().get('k')).toBeUndefined();
    expect(await content(await connect()).get('k')).toBeUndefined();
  });

  it('hands a value of 101 MB through and keeps nothing of it', async () => {
    const large = Buffer.alloc(101 * MIB, 1);
    expect(await content().getOrSet('k', load(large))).toBe(large);
    expect(await content().get('k')).toBeUndefined();
    expect(cache.stats().memory).toMatchObject({ entries: 0, bytes: 0 });
    await content().set('k', 'old');
    await content().set('k', large);
    expect(await content().get('k')).toBeUndefined();
    expect(await content(await connect()).get('k')).toBeUndefined();
    expect(cache.stats().namespaces['content']!.loads.refused).toBe(2);
    expect(cache.stats().redis).toMatchObject({ available: true, errors: 0 });
  }, 60_000);

  it('keeps a value of 20 MB in both tiers', async () => {
    const large = { text: randomBytes(10 * MIB).toString('hex') };
    expect(await content().getOrSet('k', load(large))).toEqual(large);
    const other = await connect();
    await until(async () => (await content(other).get('k')) !== undefined);
    expect(((await content(other).get('k')) as typeof large).text === large.text).toBe(true);
  }, 60_000);
});
