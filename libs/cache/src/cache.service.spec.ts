import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { InvalidTtlError, UnknownNamespaceError } from './cache.errors.js';
import { parseCacheOptions, type CacheOptionsInput } from './cache.options.js';
import { Cache } from './cache.service.js';
import { until } from '../test/until.js';
import { FakeClock } from './testing/fake-clock.js';

Logger.overrideLogger(false);

/** Cache on memory alone, with a clock that is moved by hand. */
function makeCache(options: CacheOptionsInput = {}) {
  const clock = new FakeClock();
  const cache = new Cache(parseCacheOptions({ clock, ...options }));
  return { cache, content: cache.namespace('content'), advance: (ms: number) => clock.advance(ms) };
}
const loader = <T>(value: T) => jest.fn(() => Promise.resolve(value));
const figures = (cache: Cache) => cache.stats().namespaces['content']!;

describe('Cache in memory', () => {
  let made: ReturnType<typeof makeCache>;
  beforeEach(() => {
    made = makeCache();
  });

  it('loads once, then answers from memory', async () => {
    const load = loader({ a: 1 });
    const first = await made.content.getOrSet('k', load);
    expect(await made.content.getOrSet('k', load)).toBe(first);
    expect(load).toHaveBeenCalledTimes(1);
    expect(figures(made.cache).memory).toMatchObject({ hits: 1, misses: 1, hitRate: 0.5, entries: 1 });
  });

  it('keeps a share of what it has while memory is short, and its whole budget afterwards', async () => {
    const { cache, content } = makeCache({ memory: { maxBytes: 10_000_000, maxEntries: 10_000 } });
    const fill = async () => {
      for (let i = 0; i < 1_000; i++) await content.set(`k${i}`, 'x'.repeat(100));
    };
    const bytes = () => cache.stats().memory.bytes;
    await fill();
    const full = bytes();
    expect(cache.limitMemory(0.5)).toBe(full - bytes());
    expect(bytes()).toBeLessThanOrEqual(full / 2);
    expect(bytes()).toBeGreaterThan(full / 3);

    expect(cache.limitMemory(0)).toBeGreaterThan(0);
    await fill();
    expect(cache.stats().memory).toMatchObject({ entries: 0, bytes: 0 });
    expect(await content.getOrSet('k1', loader('loaded'))).toBe('loaded');

    expect(cache.limitMemory(0.1)).toBe(0);
    await fill();
    expect(bytes()).toBeLessThanOrEqual(full / 10);
    cache.limitMemory(1);
    await fill();
    expect(bytes()).toBe(full);
  });

  it('gives what is in memory at once, and counts no miss', async () => {
    const { content, cache } = made;
    expect(content.peek('k')).toBeUndefined();
    const loaded = await content.getOrSet('k', loader({ a: 1 }), { ttlMs: 1_000, tags: ['t'] });
    expect(content.peek('k')).toBe(loaded);
    expect(figures(cache).memory).toMatchObject({ hits: 1, misses: 1 });
    await content.invalidateTags(['t']);
    expect(content.peek('k')).toBeUndefined();
    await content.set('k', 'short', { ttlMs: 1_000 });
    expect(content.peek('k')).toBe('short');
    made.advance(1_001);
    expect(content.peek('k')).toBeUndefined();
    expect(() => content.peek(7 as never)).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_KEY' }));
  });

  it('loads once when 50 callers miss together', async () => {
    const load = loader('v');
    const all = await Promise.all(Array.from({ length: 50 }, () => made.content.getOrSet('k', load)));
    expect(new Set(all)).toEqual(new Set(['v']));
    expect(load).toHaveBeenCalledTimes(1);
    expect(figures(made.cache).loads).toMatchObject({ count: 1, coalesced: 49 });
  });

  it('shares one failing run among 200 callers and does not cache the error', async () => {
    const load = jest.fn(() => Promise.reject(new Error('down')));
    const all = await Promise.allSettled(Array.from({ length: 200 }, () => made.content.getOrSet('k', load)));
    expect(all.every((it) => it.status === 'rejected' && (it.reason as Error).message === 'down')).toBe(true);
    expect(load).toHaveBeenCalledTimes(1);
    expect(await made.content.getOrSet('k', loader('up'))).toBe('up');
    expect(figures(made.cache).loads).toMatchObject({ count: 2, errors: 1 });
  });

  it('rejects, and does not throw, when the loader throws before its first await', async () => {
    const broken = () => {
      throw new Error('early');
    };
    await expect(made.content.getOrSet('k', broken)).rejects.toThrow('early');
  });

  it('keeps null and does not keep undefined', async () => {
    const nothing = loader(null);
    await made.content.getOrSet('null', nothing);
    expect(await made.content.getOrSet('null', nothing)).toBeNull();
    expect(nothing).toHaveBeenCalledTimes(1);
    const missing = loader(undefined);
    await made.content.getOrSet('undefined', missing);
    expect(await made.content.getOrSet('undefined', missing)).toBeUndefined();
    expect(missing).toHaveBeenCalledTimes(2);
    await made.content.set('null', undefined);
    expect(await made.content.get('null')).toBeUndefined();
  });

  it.each<[string, (it: ReturnType<typeof makeCache>) => Promise<void>]>([
    ['delete', ({ content }) => content.invalidate('k')],
    ['deleteMany', ({ content }) => content.invalidateMany(['x', 'k'])],
    ['invalidateTags of the namespace', ({ content }) => content.invalidateTags(['tag'])],
    ['invalidateTags of the cache', ({ cache }) => cache.invalidateTags(['tag'])],
    ['clear', ({ content }) => content.clear()],
    ['flush', ({ cache }) => cache.flush()],
  ])('does not store a load that %s overtook, and lets later callers load anew', async (_, invalidate) => {
    const old = Promise.withResolvers<string>();
    const before = made.content.getOrSet('k', () => old.promise, { tags: ['tag'] });
    const invalidated = invalidate(made);
    const fresh = loader('new');
    const after = made.content.getOrSet('k', fresh, { tags: ['tag'] });
    old.resolve('old');
    expect(await before).toBe('old');
    expect(await after).toBe('new');
    await invalidated;
    expect(await made.content.get('k')).toBe('new');
    expect(fresh).toHaveBeenCalledTimes(1);
    expect(figures(made.cache).loads).toMatchObject({ overtaken: 1, coalesced: 0 });
  });

  it('keeps what was set during a load', async () => {
    const old = Promise.withResolvers<string>();
    const loading = made.content.getOrSet('k', () => old.promise);
    await made.content.set('k', 'set');
    old.resolve('old');
    expect(await loading).toBe('old');
    expect(await made.content.get('k')).toBe('set');
  });

  it('does not join a load that is older than an invalidation of a tag only the later caller names', async () => {
    const old = Promise.withResolvers<string>();
    const before = made.content.getOrSet('k', () => old.promise);
    await made.content.invalidateTags(['tag']);
    const after = made.content.getOrSet('k', loader('new'), { tags: ['tag'] });
    old.resolve('old');
    expect(await before).toBe('old');
    expect(await after).toBe('new');
  });

  it('does not join a load whose own tag was invalidated, though the later caller does not name it', async () => {
    const old = Promise.withResolvers<string>();
    const before = made.content.getOrSet('k', () => old.promise, { tags: ['tag'] });
    await made.content.invalidateTags(['tag']);
    const after = made.content.getOrSet('k', loader('new'), { tags: ['other'] });
    old.resolve('old');
    expect(await before).toBe('old');
    expect(await after).toBe('new');
  });

  it('invalidates by tag within the namespace, or in all of them', async () => {
    const search = made.cache.namespace('search');
    await made.content.set('k', 1, { tags: ['tag'] });
    await search.set('k', 2, { tags: ['tag'] });
    await made.content.invalidateTags(['tag']);
    expect([await made.content.get('k'), await search.get('k')]).toEqual([undefined, 2]);
    await made.cache.invalidateTags(['other', 'tag']);
    expect(await search.get('k')).toBeUndefined();
  });

  it('clears one namespace and flushes all', async () => {
    const search = made.cache.namespace('search');
    await made.content.set('k', 1);
    await search.set('k', 2);
    await made.content.clear();
    expect([await made.content.get('k'), await search.get('k')]).toEqual([undefined, 2]);
    await made.cache.flush();
    expect(await search.get('k')).toBeUndefined();
  });

  it('expires by the shorter of the life of the entry and that of memory', async () => {
    made = makeCache({ memory: { ttlMs: 60_000 } });
    await made.content.set('short', 1, { ttlMs: 10 });
    await made.content.set('long', 1);
    made.advance(11);
    expect([await made.content.get('short'), await made.content.get('long')]).toEqual([undefined, 1]);
    made.advance(60_000);
    expect(await made.content.get('long')).toBeUndefined();
  });

  it('hands out values that can not change the cache', async () => {
    await made.content.set('k', { list: [1], at: new Date(5) });
    const value = (await made.content.get<{ list: number[]; at: Date }>('k'))!;
    expect(() => value.list.push(2)).toThrow(TypeError);
    value.at.setTime(0);
    expect(await made.content.get('k')).toEqual({ list: [1], at: new Date(5) });
  });

  it('hands through what can not be cached, and counts it', async () => {
    const instance = new Map([['f', () => 1]]);
    expect(await made.content.getOrSet('k', loader(instance))).toBe(instance);
    await made.content.set('old', 1);
    await made.content.set('old', () => 1);
    expect(await made.content.get('old')).toBeUndefined();
    expect(figures(made.cache).loads.refused).toBe(2);
  });

  it('stays within its bounds of entries and of bytes', async () => {
    const { cache, content } = makeCache({ memory: { maxEntries: 10, maxBytes: 1_000_000 } });
    for (let i = 0; i < 50; i++) await content.set(`k${i}`, i);
    expect(figures(cache).memory).toMatchObject({ entries: 10, evictions: 40 });
    for (let i = 0; i < 10; i++) await content.set(`big${i}`, Buffer.alloc(300_000));
    expect(cache.stats().memory.bytes).toBeLessThanOrEqual(1_000_000);
    expect(figures(cache).memory.bytes).toBe(cache.stats().memory.bytes);
    await content.set('too big', Buffer.alloc(2_000_000));
    expect(await content.get('too big')).toBeUndefined();
    await cache.flush();
    expect(figures(cache).memory).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('does not keep a value over the limit of the namespace', async () => {
    const { content } = makeCache({ namespaces: { content: { ttlMs: 1_000, maxEntryBytes: 1_000 } } });
    const load = loader('x'.repeat(1_000));
    await content.getOrSet('k', load);
    await content.getOrSet('k', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('goes past the cache while enabled says no, and when it fails', async () => {
    let enabled: () => boolean = () => true;
    const { cache, content } = makeCache({ enabled: () => enabled() });
    await content.set('k', 'kept');
    enabled = () => false;
    expect(await content.get('k')).toBeUndefined();
    expect(await content.getOrSet('k', loader('loaded'))).toBe('loaded');
    enabled = () => {
      throw new Error('flag provider is down');
    };
    expect(await content.getOrSet('k', loader('loaded'))).toBe('loaded');
    enabled = () => true;
    expect(await content.get('k')).toBe('kept');
    enabled = () => false;
    await content.set('k', 'other');
    enabled = () => true;
    expect(await content.get('k')).toBeUndefined();
    expect(figures(cache).loads.bypassed).toBe(4);
  });

  it('refuses namespaces that are not declared, and odd lifetimes', async () => {
    expect(() => made.cache.namespace('nope')).toThrow(UnknownNamespaceError);
    await expect(made.content.set('k', 1, { ttlMs: 0 })).rejects.toThrow(InvalidTtlError);
    const odd = made.content.getOrSet('k', loader(1), { ttlMs: Number.NaN });
    await expect(odd).rejects.toThrow(InvalidTtlError);
  });

  it('gives the loader a signal that is aborted on shutdown', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    let signal: AbortSignal | undefined;
    const value = made.content.getOrSet('k', (context) => {
      signal = context.signal;
      return promise;
    });
    await until(() => signal !== undefined);
    await made.cache.onApplicationShutdown();
    expect(signal?.aborted).toBe(true);
    resolve(1);
    expect(await value).toBe(1);
  });

  it('sums up for dashboards', async () => {
    await made.content.getOrSet('k', loader(Buffer.alloc(1024 ** 2)));
    await made.content.getOrSet('k', loader(1));
    const summary = made.cache.summary();
    expect(summary).toMatchObject({
      contentEntries: 1,
      searchEntries: 0,
      queryEntries: 0,
      cacheHitRate: 0.5,
    });
    expect(summary.totalMemoryMb).toBeCloseTo(1, 2);
    expect(summary.utilizationPct).toBeCloseTo(100 / 1024, 2);
  });

  it('offers its figures as plain metric families', async () => {
    await made.content.getOrSet('k', loader(1));
    await made.content.getOrSet('k', loader(1));
    expect(made.cache.name).toBe('cache');
    const families = new Map(made.cache.collect().map((it) => [it.name, it]));
    expect(families.get('cache_hits_total')).toMatchObject({ type: 'counter' });
    expect(families.get('cache_hits_total')?.samples).toContainEqual({
      labels: { namespace: 'content', tier: 'memory' },
      value: 1,
    });
    expect(families.get('cache_loads_total')?.samples).toContainEqual({
      labels: { namespace: 'content' },
      value: 1,
    });
    expect(families.has('cache_breaker_open')).toBe(false);
  });
});
