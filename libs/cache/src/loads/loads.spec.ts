import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { setImmediate as turn } from 'node:timers/promises';
import { CacheLoadTimeoutError, CacheLoaderError, InvalidTtlError } from '../cache.errors.js';
import type { CacheOptionsInput } from '../cache.options.js';
import { createCache } from '../create-cache.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { CacheLoader, LoaderContext } from './loader.js';
import type { CacheLoadOptions } from './settings.js';

Logger.overrideLogger(false);

function make(options: CacheOptionsInput = {}) {
  const clock = new FakeClock();
  const cache = createCache({ clock, ...options });
  const figures = () => cache.stats().namespaces['default']!;
  return { clock, cache, figures };
}

/** Answers 1, 2, 3 … or fails while told to; each run ends when the clock has moved by `costMs`. */
function source(clock: FakeClock, costMs = 0) {
  let version = 0;
  const state = { failing: false, runs: 0, load: (() => Promise.resolve(0)) as CacheLoader<number> };
  state.load = async () => {
    state.runs++;
    if (costMs > 0) await new Promise<void>((resolve) => clock.setTimeout(resolve, costMs));
    if (state.failing) throw new Error('down');
    return ++version;
  };
  return state;
}

const SECOND = 1_000;

describe('stale while revalidate', () => {
  const options: CacheLoadOptions = { ttlMs: SECOND, staleWhileRevalidateMs: 10 * SECOND };

  it('serves the old value at once, loads once behind it, and then serves the new one', async () => {
    const { clock, cache, figures } = make();
    const origin = source(clock);
    expect(await cache.getOrSet('k', origin.load, options)).toBe(1);
    clock.advance(SECOND);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => cache.getOrSet('k', origin.load, options)),
    );
    expect(new Set(all)).toEqual(new Set([1]));
    await turn();
    expect(origin.runs).toBe(2);
    expect(await cache.getOrSet('k', origin.load, options)).toBe(2);
    expect(figures().staleHits).toBe(20);
  });

  it('waits for the load when the value is older than that', async () => {
    const { clock, cache } = make();
    const origin = source(clock);
    await cache.getOrSet('k', origin.load, options);
    clock.advance(11 * SECOND);
    expect(await cache.getOrSet('k', origin.load, options)).toBe(2);
  });

  it('does not answer `get` with a stale value', async () => {
    const { clock, cache } = make();
    await cache.getOrSet('k', source(clock).load, options);
    clock.advance(SECOND);
    expect(await cache.get('k')).toBeUndefined();
    expect((await cache.getMany(['k'])).size).toBe(0);
  });

  it('does not serve what was invalidated', async () => {
    const { clock, cache } = make();
    const origin = source(clock);
    await cache.getOrSet('k', origin.load, { ...options, tags: ['t'] });
    clock.advance(SECOND);
    await cache.invalidateTags(['t']);
    expect(await cache.getOrSet('k', origin.load, { ...options, tags: ['t'] })).toBe(2);
  });

  it('lets a failing origin rest, longer after each failure', async () => {
    const { clock, cache } = make();
    const origin = source(clock);
    const long = { ttlMs: SECOND, staleWhileRevalidateMs: 100 * SECOND };
    await cache.getOrSet('k', origin.load, long);
    clock.advance(SECOND);
    origin.failing = true;
    const ask = async () => {
      expect(await cache.getOrSet('k', origin.load, long)).toBe(1);
      await turn();
      return origin.runs;
    };
    expect([await ask(), await ask()]).toEqual([2, 2]);
    clock.advance(SECOND);
    expect([await ask(), await ask()]).toEqual([3, 3]);
    clock.advance(SECOND);
    expect(await ask()).toBe(3);
    clock.advance(SECOND);
    expect(await ask()).toBe(4);
  });
});

describe('stale if error', () => {
  const options: CacheLoadOptions = { ttlMs: SECOND, staleIfErrorMs: 10 * SECOND };

  it('hides the error behind the old value for as long as it may', async () => {
    const { clock, cache, figures } = make();
    const origin = source(clock);
    await cache.getOrSet('k', origin.load, options);
    origin.failing = true;
    clock.advance(SECOND);
    expect(await cache.getOrSet('k', origin.load, options)).toBe(1);
    expect(figures().staleOnError).toBe(1);
    clock.advance(10 * SECOND);
    await expect(cache.getOrSet('k', origin.load, options)).rejects.toThrow('down');
  });

  it('asks which errors it may hide', async () => {
    const { clock, cache } = make();
    const origin = source(clock);
    const useStale = (error: unknown) => (error as Error).message !== 'down';
    await cache.getOrSet('k', origin.load, { ...options, useStale });
    origin.failing = true;
    clock.advance(SECOND);
    await expect(cache.getOrSet('k', origin.load, { ...options, useStale })).rejects.toThrow('down');
  });

  it('does not hide it behind a value that was invalidated while the load ran', async () => {
    const { clock, cache } = make();
    const origin = source(clock, 100);
    const first = cache.getOrSet('k', origin.load, options);
    await clock.advanceAsync(100);
    await first;
    origin.failing = true;
    clock.advance(SECOND);
    const second = cache.getOrSet('k', origin.load, options);
    second.catch(() => undefined);
    await turn();
    await cache.invalidate('k');
    await clock.advanceAsync(100);
    await expect(second).rejects.toThrow('down');
  });
});

describe('timeouts and signals', () => {
  it('gives the old value to whoever does not want to wait longer, and keeps the new one', async () => {
    const { clock, cache, figures } = make();
    const origin = source(clock, 500);
    const options = { ttlMs: SECOND, staleIfErrorMs: 10 * SECOND, softTimeoutMs: 100 };
    const first = cache.getOrSet('k', origin.load, options);
    await clock.advanceAsync(500);
    expect(await first).toBe(1);
    clock.advance(SECOND);
    const second = cache.getOrSet('k', origin.load, options);
    await clock.advanceAsync(100);
    expect(await second).toBe(1);
    await clock.advanceAsync(400);
    expect(await cache.get('k')).toBe(2);
    expect(figures().loads.softTimeouts).toBe(1);
  });

  it('ends a load at the hard timeout: error, aborted signal, late value dropped', async () => {
    const { clock, cache, figures } = make();
    let signal: AbortSignal | undefined;
    const load = async (context: LoaderContext<number>) => {
      signal = context.signal;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 500));
      return 1;
    };
    const callers = [1, 2].map(() => cache.getOrSet('k', load, { hardTimeoutMs: 100 }));
    const ended = Promise.allSettled(callers);
    await clock.advanceAsync(100);
    for (const it of await ended)
      expect(it).toMatchObject({ reason: expect.any(CacheLoadTimeoutError) as unknown });
    expect(signal?.aborted).toBe(true);
    await clock.advanceAsync(400);
    expect(await cache.get('k')).toBeUndefined();
    expect(figures().loads.hardTimeouts).toBe(1);
  });

  it('aborts the loader only when the last caller has gone', async () => {
    const { clock, cache } = make();
    let signal: AbortSignal | undefined;
    const load = async (context: LoaderContext<number>) => {
      signal = context.signal;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 500));
      return 1;
    };
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.getOrSet('k', load, { signal: one.signal });
    const second = cache.getOrSet('k', load, { signal: two.signal });
    const ended = Promise.allSettled([first, second]);
    await turn();
    one.abort(new Error('gone'));
    await turn();
    expect(signal?.aborted).toBe(false);
    two.abort(new Error('gone too'));
    expect(await ended).toMatchObject([{ reason: { message: 'gone' } }, { reason: { message: 'gone too' } }]);
    expect(signal?.aborted).toBe(true);
  });

  it('starts anew for whoever comes after an abandoned load', async () => {
    const { cache } = make();
    const gone = new AbortController();
    const never = cache.getOrSet('k', () => new Promise<number>(() => undefined), { signal: gone.signal });
    gone.abort(new Error('gone'));
    await expect(never).rejects.toThrow('gone');
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
  });
});

describe('what is kept, and for how long', () => {
  it('keeps null and undefined as long as they are told to', async () => {
    const { clock, cache } = make();
    const options = { ttlMs: 10 * SECOND, nullTtlMs: SECOND, undefinedTtlMs: SECOND };
    const nothing = jest.fn(() => null);
    const absent = jest.fn(() => undefined);
    for (let i = 0; i < 3; i++) {
      expect(await cache.getOrSet('null', nothing, options)).toBeNull();
      expect(await cache.getOrSet('undefined', absent, options)).toBeUndefined();
    }
    expect([nothing.mock.calls.length, absent.mock.calls.length]).toEqual([1, 1]);
    clock.advance(SECOND);
    await cache.getOrSet('null', nothing, options);
    await cache.getOrSet('undefined', absent, options);
    expect([nothing.mock.calls.length, absent.mock.calls.length]).toEqual([2, 2]);
  });

  it('lets the loader say how long, and not at all', async () => {
    const { clock, cache } = make();
    await cache.getOrSet('short', ({ setTtl }) => (setTtl(10), 1));
    await cache.getOrSet('never', ({ setTtl }) => (setTtl(0), 1));
    await cache.getOrSet('not', ({ doNotStore }) => (doNotStore(), 1));
    expect(await cache.getMany(['short', 'never', 'not'])).toEqual(new Map([['short', 1]]));
    clock.advance(10);
    expect(await cache.get('short')).toBeUndefined();
    await expect(cache.getOrSet('odd', ({ setTtl }) => (setTtl(0.5), 1))).rejects.toThrow(InvalidTtlError);
  });

  it('lets the loader add tags', async () => {
    const { cache } = make();
    await cache.getOrSet('k', ({ addTags }) => (addTags('late'), 1), { tags: ['early'] });
    expect(await cache.get('k')).toBe(1);
    await cache.invalidateTags(['late']);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('confirms the old value when the origin has not changed', async () => {
    const { clock, cache } = make();
    const options = { ttlMs: SECOND, staleIfErrorMs: 10 * SECOND };
    await cache.getOrSet('k', ({ setValidators }) => (setValidators({ etag: '"a"' }), { v: 1 }), options);
    clock.advance(SECOND);
    const conditional = jest.fn((context: LoaderContext<{ v: number }>) => {
      expect(context.stale).toMatchObject({ value: { v: 1 }, etag: '"a"' });
      return context.notModified();
    });
    expect(await cache.getOrSet('k', conditional, options)).toEqual({ v: 1 });
    expect(await cache.get('k')).toEqual({ v: 1 });
    clock.advance(SECOND);
    await cache.getOrSet('k', conditional, options);
    expect(conditional).toHaveBeenCalledTimes(2);
    await expect(cache.getOrSet('other', (it) => it.notModified())).rejects.toThrow(CacheLoaderError);
  });

  it('keeps an error for its own time, where it may', async () => {
    const { clock, cache, figures } = make();
    const origin = source(clock);
    origin.failing = true;
    const options = { errorTtlMs: SECOND, tags: ['t'] };
    for (let i = 0; i < 3; i++)
      await expect(cache.getOrSet('k', origin.load, options)).rejects.toThrow('down');
    expect(origin.runs).toBe(1);
    expect(figures().loads.cachedErrors).toBe(2);
    await cache.invalidateTags(['t']);
    await expect(cache.getOrSet('k', origin.load, options)).rejects.toThrow('down');
    expect(origin.runs).toBe(2);
    clock.advance(SECOND);
    await expect(cache.getOrSet('k', origin.load, { ...options, cacheError: () => false })).rejects.toThrow(
      'down',
    );
    await expect(cache.getOrSet('k', origin.load, options)).rejects.toThrow('down');
    expect(origin.runs).toBe(4);
  });

  it('takes a share off the life time at random, and never adds to it', async () => {
    const { clock, cache } = make();
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
    await cache.setMany(
      keys.map((key) => [key, 1]),
      { ttlMs: SECOND, jitter: 0.5 },
    );
    clock.advance(SECOND / 2 - 1);
    expect((await cache.getMany(keys)).size).toBe(200);
    clock.advance(SECOND / 4 + 1);
    const left = (await cache.getMany(keys)).size;
    expect(left).toBeGreaterThan(50);
    expect(left).toBeLessThan(150);
    clock.advance(SECOND / 4);
    expect((await cache.getMany(keys)).size).toBe(0);
  });

  it('refreshes early the dearer the load and the nearer the end, once, in the background', async () => {
    const { clock, cache, figures } = make();
    const origin = source(clock, 100);
    const options = { ttlMs: 10 * SECOND, earlyRefresh: 1 };
    const first = cache.getOrSet('k', origin.load, options);
    await clock.advanceAsync(100);
    await first;
    clock.advance(5 * SECOND);
    for (let i = 0; i < 100; i++) expect(await cache.getOrSet('k', origin.load, options)).toBe(1);
    expect(origin.runs).toBe(1);
    clock.advance(4_990);
    for (let i = 0; i < 100; i++) expect(await cache.getOrSet('k', origin.load, options)).toBe(1);
    expect(origin.runs).toBe(2);
    await clock.advanceAsync(100);
    expect(await cache.getOrSet('k', origin.load, options)).toBe(2);
    expect(figures().loads.earlyRefreshes).toBe(1);
  });

  it('hands out a copy to change where that is asked for', async () => {
    const { cache } = make();
    const load = () => ({ list: [1] });
    const mine = await cache.getOrSet('k', load, { clone: true });
    mine.list.push(2);
    expect(await cache.getOrSet('k', load)).toEqual({ list: [1] });
  });

  it('dies with the content it was made from, in every namespace', async () => {
    const { cache } = make();
    await cache.set('html', 1, { contentHashes: ['abc'] });
    await cache.namespace('search').set('index', 1, { contentHashes: ['abc', 'def'] });
    await cache.namespace('search').set('other', 1, { contentHashes: ['def'] });
    await cache.invalidateContent('abc');
    expect(await cache.get('html')).toBeUndefined();
    expect(await cache.namespace('search').getMany(['index', 'other'])).toEqual(new Map([['other', 1]]));
  });
});

describe('many keys', () => {
  it('loads what is missing in one run, and shares flights with the single form', async () => {
    const { cache } = make();
    await cache.set('a', 1);
    const gate = Promise.withResolvers<number>();
    const single = cache.getOrSet('b', () => gate.promise);
    const load = jest.fn((keys: readonly string[]) => new Map(keys.map((key) => [key, key.length])));
    const many = cache.getOrSetMany(['a', 'b', 'cc', 'ddd', 'cc'], load);
    const joined = cache.getOrSet('cc', () => Promise.reject(new Error('not this one')));
    gate.resolve(7);
    expect(await many).toEqual(
      new Map([
        ['a', 1],
        ['b', 7],
        ['cc', 2],
        ['ddd', 3],
      ]),
    );
    expect([await single, await joined]).toEqual([7, 2]);
    expect(load.mock.calls.map(([keys]) => keys)).toEqual([['cc', 'ddd']]);
    expect(await cache.get('ddd')).toBe(3);
  });

  it('does not keep the one key that was invalidated while the batch ran', async () => {
    const { cache } = make();
    const gate = Promise.withResolvers<Map<string, number>>();
    const many = cache.getOrSetMany(['a', 'b'], () => gate.promise, { tags: (key) => [`tag-${key}`] });
    await turn();
    await cache.invalidateTags(['tag-a']);
    gate.resolve(new Map([['a', 1], ['b', 2]])); // prettier-ignore
    expect((await many).size).toBe(2);
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map([['b', 2]]));
  });

  it('rejects with the error of its one run, for everybody', async () => {
    const { cache } = make();
    const load = jest.fn(() => Promise.reject(new Error('down')));
    const many = cache.getOrSetMany(['a', 'b'], load);
    const joined = cache.getOrSet('a', () => 1);
    expect(await Promise.allSettled([many, joined])).toMatchObject([
      { reason: { message: 'down' } },
      { reason: { message: 'down' } },
    ]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('leaves undefined what the loader leaves out', async () => {
    const { cache } = make();
    expect(await cache.getOrSetMany(['a'], () => new Map())).toEqual(new Map([['a', undefined]]));
  });
});

describe('wrap', () => {
  it('puts the cache in front of a function', async () => {
    const { cache } = make();
    const square = jest.fn((n: number) => Promise.resolve(n * n));
    const cached = cache.wrap(square, { key: (n) => `square:${n}`, tags: (n) => [n % 2 ? 'odd' : 'even'] });
    expect([await cached(2), await cached(2), await cached(3)]).toEqual([4, 4, 9]);
    expect(square).toHaveBeenCalledTimes(2);
    await cache.invalidateTags(['odd']);
    await Promise.all([cached(2), cached(3)]);
    expect(square).toHaveBeenCalledTimes(3);
  });
});
