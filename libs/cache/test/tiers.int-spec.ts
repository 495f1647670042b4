import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import { FolderStore, type Cache, type CacheOptionsInput } from '../src/index.js';
import { OpenCaches } from './open-caches.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

const LARGE = 'large '.repeat(40_000);
const loader = <T>(value: T) => jest.fn(() => Promise.resolve(value));
const tierOf = (cache: Cache) => cache.stats().namespaces['default']!;

describe.each(['Redis', 'no Redis'])('three tiers with %s', (kind) => {
  let caches: OpenCaches;
  let folder: string;
  const stores: FolderStore[] = [];

  beforeAll(async () => {
    caches = new OpenCaches(redisUrl());
    folder = await mkdtemp(join(tmpdir(), 'peregrine-tiers-'));
  });
  afterEach(async () => {
    await caches.close();
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(async () => {
    await removeRedisKeys(redisUrl(), caches.prefix);
    await rm(folder, { recursive: true, force: true });
  });

  /** A process of its own on the shared tiers. */
  async function start(options: Partial<CacheOptionsInput> = {}): Promise<Cache> {
    const store = new FolderStore({ path: folder });
    stores.push(store);
    const objectStore = { store, minBytes: 100_000 };
    if (kind === 'Redis') return caches.connect({ objectStore, ...options });
    return caches.open({ redis: undefined, objectStore, ...options });
  }

  const written = (cache: Cache, entries: number) =>
    until(() => (cache.stats().objectStore.entries ?? 0) >= entries);

  it('keeps what is large in the object store, finds it there, and lifts it into memory', async () => {
    const first = await start();
    await first.getOrSet('large', loader(LARGE), { tags: ['t'] });
    await written(first, 1);
    const second = await start();
    const load = loader('not this');
    expect(await second.getOrSet('large', load, { tags: ['t'] })).toBe(LARGE);
    expect(await second.getOrSet('large', load, { tags: ['t'] })).toBe(LARGE);
    expect(load).not.toHaveBeenCalled();
    expect(tierOf(second)).toMatchObject({ object: { hits: 1, promotions: 1 }, memory: { hits: 1 } });
  });

  it.each([
    ['its key', (cache: Cache) => cache.invalidate('gone')],
    ['its tag', (cache: Cache) => cache.invalidateTags(['t'])],
    ['its namespace', (cache: Cache) => cache.clear()],
    ['everything', (cache: Cache) => cache.flush()],
    ['a new value', (cache: Cache) => cache.set('gone', 'small', { tags: ['t'] })],
  ])('does not find it after an invalidation of %s', async (_what, invalidate) => {
    const first = await start();
    await first.set('gone', LARGE, { tags: ['t'] });
    const second = await start();
    expect(await second.get('gone')).toBe(LARGE);
    await invalidate(second);
    const third = await start();
    expect(await third.get('gone')).not.toBe(LARGE);
    expect(await third.getOrSet('gone', loader('fresh'), { tags: ['t'] })).not.toBe(LARGE);
  });

  it('does not store a large value whose load an invalidation overtook', async () => {
    const first = await start();
    const gate = Promise.withResolvers<string>();
    const waiting = first.getOrSet('overtaken', () => gate.promise);
    await until(() => tierOf(first).loads.count === 1);
    await first.invalidate('overtaken');
    gate.resolve(LARGE);
    expect(await waiting).toBe(LARGE);
    await first.close();
    expect(await (await start()).get('overtaken')).toBeUndefined();
  });

  it('keeps a value where the caller wants it', async () => {
    const first = await start();
    await first.set('small', 'small', { tiers: ['object'] });
    expect(tierOf(first).memory.entries).toBe(0);
    expect(await first.get('small')).toBe('small');
    expect(tierOf(first).object.hits).toBe(1);
    await first.set('here', 'here', { tiers: ['memory'] });
    expect(await (await start()).get('here')).toBeUndefined();
  });

  it('keeps streams of bytes', async () => {
    const first = await start();
    const bytes = Buffer.from(LARGE);
    expect(await first.namespace('content').setStream('s', Readable.from([bytes]), { tags: ['t'] })).toBe(
      true,
    );
    const second = (await start()).namespace('content');
    const body = await second.openStream('s');
    expect((await buffer(body!)).equals(bytes)).toBe(true);
    await second.invalidateTags(['t']);
    expect(await second.openStream('s')).toBeUndefined();
  });

  it('goes on without the store, and tells so', async () => {
    const first = await start();
    const [store] = stores;
    await store!.close();
    const fallback = loader(LARGE);
    expect(await first.getOrSet('away', fallback)).toBe(LARGE);
    expect(await first.getOrSet('away', fallback)).toBe(LARGE);
    expect(fallback).toHaveBeenCalledTimes(1);
  });
});
