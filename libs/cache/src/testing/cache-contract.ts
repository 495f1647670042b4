import assert from 'node:assert/strict';
import type { ContractCase } from './contract.js';
import type { FakeClock } from './fake-clock.js';

/** The verbs of a cache that the contract speaks. `Cache`, `CacheNamespace` and what `createCache` gives have them. */
export interface CacheLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, options?: CacheLikeOptions): Promise<void>;
  getOrSet(key: string, loader: () => Promise<unknown>, options?: CacheLikeOptions): Promise<unknown>;
  invalidate(key: string): Promise<void>;
  invalidateMany(keys: readonly string[]): Promise<void>;
  invalidateTags(tags: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

/** Options of one entry. */
export interface CacheLikeOptions {
  readonly ttlMs?: number;
  readonly tags?: readonly string[];
}

/** A cache for one case, empty, and its end. */
export interface OpenedCache {
  readonly cache: CacheLike;
  /** Absent when time can not be moved: the cases about lives are left out. */
  readonly clock?: FakeClock;
  close(): Promise<void>;
}

/** Values that come back equal from every tier. */
const VALUES: readonly unknown[] = [
  ...[0, -1.5, '', 'text \u{1f600}', true, false, null, 2n ** 70n, [], {}],
  ...[new Date(0), new Map([['a', 1]]), new Set([1]), Buffer.from([0, 255])],
  { deep: [{ list: [1, 'two', null], when: new Date(1e12) }] },
];

const loads = (value: unknown) => {
  const loader = { runs: 0, load: () => Promise.resolve(value).finally(() => loader.runs++) };
  return loader;
};

/** A loader that waits for `finish`; `started` resolves when it was called. */
const slow = () => {
  const started = Promise.withResolvers<void>();
  const result = Promise.withResolvers<unknown>();
  const load = () => {
    started.resolve();
    return result.promise;
  };
  return { load, started: started.promise, finish: result.resolve };
};

type Check = (cache: CacheLike) => Promise<void>;

/** What overtakes a load that is under way. */
const OVERTAKE: Readonly<Record<string, (cache: CacheLike) => Promise<void>>> = {
  'its key is invalidated': (cache) => cache.invalidate('k'),
  'its key is invalidated among others': (cache) => cache.invalidateMany(['x', 'k', 'y']),
  'its tag is invalidated': (cache) => cache.invalidateTags(['tag']),
  'the cache is cleared': (cache) => cache.clear(),
};

const overtaken = Object.entries(OVERTAKE).map(([how, overtake]): [string, Check] => [
  `does not keep what was being loaded while ${how}, and gives it to who waited`,
  async (cache) => {
    const old = slow();
    const waiting = cache.getOrSet('k', old.load, { tags: ['tag'] });
    await old.started;
    await overtake(cache);
    old.finish('old');
    assert.equal(await waiting, 'old');
    assert.equal(await cache.get('k'), undefined);
    assert.equal(await cache.getOrSet('k', loads('new').load, { tags: ['tag'] }), 'new');
  },
]);

const CHECKS: Readonly<Record<string, Check>> = {
  'gives back equal values of every kind': async (cache) => {
    for (const [i, value] of VALUES.entries()) {
      await cache.set(`v${i}`, value);
      assert.deepEqual(await cache.get(`v${i}`), value);
    }
  },
  'answers undefined for what it does not have': async (cache) => {
    assert.equal(await cache.get('nothing'), undefined);
  },
  'calls the loader on a miss and not on a hit, also of null': async (cache) => {
    for (const value of ['value', null]) {
      const loader = loads(value);
      const key = String(value);
      assert.equal(await cache.getOrSet(key, loader.load), value);
      assert.equal(await cache.getOrSet(key, loader.load), value);
      assert.equal(loader.runs, 1);
    }
  },
  'loads once for callers that miss together': async (cache) => {
    const loader = loads('value');
    const callers = Array.from({ length: 50 }, () => cache.getOrSet('k', loader.load));
    assert.deepEqual(new Set(await Promise.all(callers)), new Set(['value']));
    assert.equal(loader.runs, 1);
  },
  'gives the error of the loader to all who waited, and keeps nothing': async (cache) => {
    const error = new Error('the source is away');
    let runs = 0;
    const fail = () => {
      runs++;
      return Promise.reject(error);
    };
    const callers = Array.from({ length: 50 }, () => cache.getOrSet('k', fail));
    for (const it of await Promise.allSettled(callers)) {
      assert.ok(it.status === 'rejected' && it.reason === error);
    }
    assert.equal(runs, 1);
    assert.equal(await cache.getOrSet('k', loads(1).load), 1);
  },
  'forgets what was invalidated, and only that': async (cache) => {
    for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, key);
    await cache.invalidate('a');
    await cache.invalidateMany(['b', 'c']);
    for (const key of ['a', 'b', 'c']) assert.equal(await cache.get(key), undefined);
    assert.equal(await cache.get('d'), 'd');
  },
  'forgets by tag, and only what carries it': async (cache) => {
    await cache.set('a', 1, { tags: ['x', 'y'] });
    await cache.set('b', 2, { tags: ['y'] });
    await cache.set('c', 3);
    await cache.invalidateTags(['x']);
    assert.deepEqual([await cache.get('a'), await cache.get('b'), await cache.get('c')], [undefined, 2, 3]);
  },
  'forgets everything on clear': async (cache) => {
    await cache.set('a', 1);
    await cache.clear();
    assert.equal(await cache.get('a'), undefined);
  },
  'replaces on set, also while the key is being loaded': async (cache) => {
    const old = slow();
    const waiting = cache.getOrSet('k', old.load);
    await old.started;
    await cache.set('k', 'new');
    old.finish('old');
    await waiting;
    assert.equal(await cache.get('k'), 'new');
  },
  'is not changed through what it was given or has handed out': async (cache) => {
    const given = { list: [1] };
    await cache.set('k', given);
    given.list.push(2);
    const handedOut = (await cache.get('k')) as typeof given;
    // Frozen or a copy: either is fine.
    try {
      handedOut.list.push(3);
    } catch (error) {
      assert.ok(error instanceof TypeError);
    }
    assert.deepEqual(await cache.get('k'), { list: [1] });
  },
  ...Object.fromEntries(overtaken),
};

const expires: ContractCase['title'] = 'gives nothing beyond the life of an entry';

/** What every cache promises, whatever its tiers. `open` is called for each case; pass `lives: true` when it gives a clock. */
export function cacheContract(
  open: () => Promise<OpenedCache>,
  options: { readonly lives?: boolean } = {},
): ContractCase[] {
  const run = async (check: (opened: OpenedCache) => Promise<void>) => {
    const opened = await open();
    try {
      await check(opened);
    } finally {
      await opened.close();
    }
  };
  const cases = Object.entries(CHECKS).map(([title, check]) => ({
    title,
    run: () => run(({ cache }) => check(cache)),
  }));
  if (options.lives !== true) return cases;
  return [...cases, { title: expires, run: () => run(checkLife) }];
}

async function checkLife({ cache, clock }: OpenedCache): Promise<void> {
  assert.ok(clock, 'lives are tested with a clock');
  await cache.set('k', 1, { ttlMs: 1_000 });
  clock.advance(999);
  assert.equal(await cache.get('k'), 1);
  clock.advance(1);
  assert.equal(await cache.get('k'), undefined);
}
