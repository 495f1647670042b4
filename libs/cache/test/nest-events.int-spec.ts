import { afterEach, describe, expect, it } from '@jest/globals';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import type { Cache } from '../src/cache.service.js';
import { onCacheEvent, type CacheEventName } from '../src/events/events.js';
import { OpenCaches } from './open-caches.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

describe('the events of a cache', () => {
  const caches = new OpenCaches(redisUrl());
  const ends: (() => void)[] = [];
  const record = (...names: CacheEventName[]) => {
    const seen: (Record<string, unknown> & { event: CacheEventName })[] = [];
    for (const event of names) ends.push(onCacheEvent(event, (it) => seen.push({ event, ...it })));
    return seen;
  };
  afterEach(async () => {
    for (const end of ends.splice(0)) end();
    await caches.close();
    await removeRedisKeys(redisUrl(), caches.prefix);
  });

  it('tell of misses, loads, and hits of each tier', async () => {
    const [one, two] = [await caches.connect(), await caches.connect()];
    const seen = record('hit', 'miss', 'load:start', 'load:end');
    const load = (cache: Cache) => cache.namespace('content').getOrSet('k', () => Promise.resolve('value'));
    await load(one);
    await load(one);
    await until(async () => (await two.namespace('content').get('k')) !== undefined);
    await load(two);
    const about = { namespace: 'content', key: 'k' };
    expect(seen.slice(0, 3)).toEqual([
      { event: 'miss', ...about },
      { event: 'load:start', ...about, reason: 'miss' },
      { event: 'load:end', ...about, reason: 'miss', durationMs: expect.any(Number) },
    ]);
    expect(seen).toContainEqual({ event: 'hit', ...about, tier: 'memory' });
    expect(seen).toContainEqual({ event: 'hit', ...about, tier: 'redis' });
    expect(JSON.stringify(seen)).not.toContain('value');
  });

  it('tell of reads by get and getMany as well', async () => {
    const content = (await caches.connect()).namespace('content');
    await content.set('k', 1);
    const seen = record('hit', 'miss');
    await content.get('k');
    await content.get('none');
    await content.getMany(['k', 'none']);
    expect(seen.map((it) => [it.event, it['key']])).toEqual([
      ['hit', 'k'],
      ['miss', 'none'],
      ['hit', 'k'],
      ['miss', 'none'],
    ]);
  });

  it('tell of sets, and of invalidations here and from elsewhere', async () => {
    const [one] = [await caches.connect(), await caches.connect()];
    const seen = record('set', 'invalidate');
    await one.namespace('content').set('k', 1);
    await one.namespace('content').invalidate('k');
    expect(seen).toContainEqual({ event: 'set', namespace: 'content', key: 'k' });
    const ofKey = (origin: string) => ({ event: 'invalidate', scopes: ['k:content:k'], origin });
    expect(seen).toContainEqual(ofKey('local'));
    await until(() => seen.some((it) => it['origin'] === 'remote'));
    expect(seen).toContainEqual(ofKey('remote'));
  });

  it('tell of stale answers and why', async () => {
    const content = (await caches.connect()).namespace('content');
    const options = { ttlMs: 1, staleIfErrorMs: 60_000 };
    const seen = record('stale', 'load:error');
    await content.getOrSet('k', () => Promise.resolve(1), options);
    await until(async () => {
      await content.getOrSet('k', () => Promise.reject(new Error('down')), options);
      return seen.length > 0;
    });
    expect(seen[0]).toMatchObject({ event: 'load:error', key: 'k', error: new Error('down') });
    expect(seen).toContainEqual({ event: 'stale', namespace: 'content', key: 'k', reason: 'error' });
  });

  it('tell of evictions', async () => {
    const content = (await caches.open({ memory: { maxEntries: 10 }, redis: undefined })).namespace(
      'content',
    );
    const seen = record('evict');
    for (let i = 0; i < 20; i++) await content.set(`k${i}`, i);
    expect(seen).toHaveLength(10);
    expect(seen[0]).toMatchObject({
      namespace: 'content',
      key: expect.stringMatching(/^k\d+$/),
      bytes: expect.any(Number),
    });
  });

  it('tell when Redis comes into use', async () => {
    const seen = record('redis');
    await caches.connect();
    expect(seen).toContainEqual(expect.objectContaining({ event: 'redis', available: true }));
  });

  it('tell when Redis can not be used', async () => {
    const seen = record('redis');
    await caches.open({ redis: { url: 'redis://127.0.0.1:1' } });
    await until(() => seen.length > 0);
    expect(seen[0]).toMatchObject({ available: false, cause: expect.any(String) });
  });
});
