import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import {
  CacheError,
  createCache,
  parseCacheOptions,
  type Cache,
  type CacheOptionsInput,
} from '../../src/index.js';
import { OpenCaches } from '../open-caches.js';
import { redisUrl } from '../redis-url.js';

describe('input that is wrong or extreme', () => {
  let caches: OpenCaches;
  let cache: Cache;
  const content = (from = cache) => from.namespace('content');
  const load = (value: unknown) => () => Promise.resolve(value);
  const code = async (work: Promise<unknown>) => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof CacheError ? error.code : error;
  };

  beforeEach(async () => {
    caches = new OpenCaches(redisUrl());
    cache = await caches.connect({}, 5_000);
  });
  afterEach(async () => {
    await caches.close();
    await removeRedisKeys(redisUrl(), caches.prefix);
  });

  describe.each([-1, 0, 0.5, 1.5, NaN, Infinity, -Infinity, 2 ** 53, '60' as never, null as never])(
    'a life of %p',
    (ttlMs) => {
      it('is refused with CACHE_INVALID_TTL, and what was there stays', async () => {
        await content().set('k', 'value');
        expect(await code(content().set('k', 'new', { ttlMs }))).toBe('CACHE_INVALID_TTL');
        expect(await code(content().setMany([['k', 'new']], { ttlMs }))).toBe('CACHE_INVALID_TTL');
        expect(await code(content().getOrSet('cold', load(1), { ttlMs }))).toBe('CACHE_INVALID_TTL');
        expect(await code(content().getOrSetMany(['cold'], () => new Map(), { ttlMs }))).toBe(
          'CACHE_INVALID_TTL',
        );
        expect(await content().get('k')).toBe('value');
        expect(await content().get('cold')).toBeUndefined();
      });
    },
  );

  it('takes the longest whole life there is', async () => {
    await content().set('k', 'value', { ttlMs: Number.MAX_SAFE_INTEGER });
    expect(await content().get('k')).toBe('value');
    expect(cache.stats().redis).toMatchObject({ errors: 0, pendingInvalidations: 0 });
    expect(await content(await caches.connect()).get('k')).toBe('value');
  });

  it('invalidates by 10,000 tags at once, also in other processes', async () => {
    const tags = Array.from({ length: 10_000 }, (_, i) => `tag-${i}`);
    await content().set('first', 1, { tags: ['tag-0'] });
    await content().set('last', 2, { tags: ['tag-9999'] });
    await content().set('none', 3, { tags: ['other'] });
    await cache.invalidateTags(tags);
    const other = await caches.connect({}, 5_000);
    for (const from of [cache, other]) {
      expect(await content(from).get('first')).toBeUndefined();
      expect(await content(from).get('last')).toBeUndefined();
      expect(await content(from).get('none')).toBe(3);
    }
  });

  it('keeps an entry with 10,000 tags or says that it can not, and goes on', async () => {
    const tags = Array.from({ length: 10_000 }, (_, i) => `tag-${i}`);
    const answer = await code(content().getOrSet('k', load('value'), { tags }));
    expect([undefined, 'CACHE_INVALID_TAGS']).toContain(answer);
    if (answer === undefined) {
      await cache.invalidateTags(['tag-5000']);
      expect(await content().get('k')).toBeUndefined();
    }
    await content().set('l', 'value', { tags: tags.slice(0, 500) });
    expect(await content(await caches.connect({}, 5_000)).get('l')).toBe('value');
    await cache.invalidateTags(['tag-499']);
    expect(await content().get('l')).toBeUndefined();
    expect(cache.stats().redis).toMatchObject({ available: true, errors: 0 });
  });

  it('keeps long keys apart, also with one beginning, and shows the beginning in Redis', async () => {
    const start = `article:${'x'.repeat(5_000)}`;
    const keys = [start, `${start}a`, `${start}b`, `${start}${'é'.repeat(2_000)}`, 'é'.repeat(600)];
    for (const [i, key] of keys.entries()) await content().set(key, i);
    const other = await caches.connect();
    for (const from of [cache, other]) {
      for (const [i, key] of keys.entries()) expect(await content(from).get(key)).toBe(i);
      expect([...(await content(from).getMany(keys)).values()]).toEqual([0, 1, 2, 3, 4]);
    }
    await content().invalidate(`${start}a`);
    expect(await content().get(`${start}a`)).toBeUndefined();
    expect(await content().get(`${start}b`)).toBe(2);
  });

  it.each(['', ' ', '\0', '\ud800', 'a\nb', '{braces}', 'ä:ö', '__proto__', '*', 'k'.repeat(1_024)])(
    'works with the key %j',
    async (key) => {
      expect(await content().getOrSet(key, load('value'))).toBe('value');
      expect(await content().get(key)).toBe('value');
      await content().invalidate(key);
      expect(await content().get(key)).toBeUndefined();
      expect(await content().getOrSet(key, load('next'))).toBe('next');
    },
  );

  it.each([undefined, null, 1, {}, ['k']] as never[])(
    'refuses the key %p with CACHE_INVALID_KEY',
    async (key) => {
      expect(await code(content().get(key))).toBe('CACHE_INVALID_KEY');
      expect(await code(content().set(key, 1))).toBe('CACHE_INVALID_KEY');
      expect(await code(content().getOrSet(key, load(1)))).toBe('CACHE_INVALID_KEY');
      expect(await code(content().invalidate(key))).toBe('CACHE_INVALID_KEY');
      expect(await code(content().getMany([key]))).toBe('CACHE_INVALID_KEY');
    },
  );

  it.each([[1], [undefined], [null], [{}]] as never[])(
    'refuses the tag %p with CACHE_INVALID_TAGS',
    async (tag) => {
      expect(await code(content().set('k', 1, { tags: [tag] }))).toBe('CACHE_INVALID_TAGS');
      expect(await code(content().getOrSet('k', load(1), { tags: [tag] }))).toBe('CACHE_INVALID_TAGS');
      expect(await code(content().invalidateTags([tag]))).toBe('CACHE_INVALID_TAGS');
      expect(await code(cache.invalidateTags([tag]))).toBe('CACHE_INVALID_TAGS');
    },
  );

  it('names every problem of the options at once, and opens nothing', () => {
    const wrong = {
      prefix: 'with space',
      memory: { maxBytes: -1, maxEntries: 1.5, ttlMs: Infinity },
      redis: { url: 'http://localhost', timeoutMs: 0 },
      namespaces: {
        content: { ttlMs: NaN, jitter: 2 },
        '1x': { ttlMs: 1 },
        enc: { ttlMs: 1, encryption: { keys: [] } },
      },
      enabled: 'yes',
      typo: true,
    } as unknown as CacheOptionsInput;
    for (const start of [parseCacheOptions, createCache]) {
      const message = messageOf(() => start(wrong));
      for (const problem of [
        ...['prefix', 'memory.maxBytes', 'memory.maxEntries', 'memory.ttlMs', 'redis', 'redis://'],
        ...['namespaces.content.ttlMs', 'namespaces.content.jitter', '1x', 'namespaces.enc.encryption.keys'],
        ...['enabled', 'typo'],
      ]) {
        expect(message).toContain(problem);
      }
    }
  });

  it('names each part of a redis option that is wrong', () => {
    const message = (redis: unknown) => messageOf(() => parseCacheOptions({ redis } as CacheOptionsInput));
    expect(message({ url: 'http://x', timeoutMs: -1 })).toMatch(/url[^]*timeoutMs|timeoutMs[^]*url/);
    expect(message({ cluster: { nodes: ['http://x'], buckets: 0 } })).toMatch(
      /nodes[^]*buckets|buckets[^]*nodes/,
    );
    expect(message({})).toContain('cluster');
  });
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ code: 'CACHE_OPTIONS' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}
