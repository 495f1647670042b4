import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeRedisKeys } from '../../src/testing/remove-redis-keys.js';
import type { Cache } from '../../src/index.js';
import { OpenCaches } from '../open-caches.js';
import { redisUrl } from '../redis-url.js';
import { until } from '../until.js';

describe('a new release beside the old one, with another shape of values', () => {
  let caches: OpenCaches;
  let old: Cache;
  let next: Cache;
  const release = (schemaVersion: number) =>
    caches.connect({ namespaces: { users: { ttlMs: 3_600_000, schemaVersion } } });
  const users = (cache: Cache) => cache.namespace('users');
  const load = (value: unknown) => () => Promise.resolve(value);

  beforeEach(async () => {
    caches = new OpenCaches(redisUrl());
    [old, next] = await Promise.all([release(1), release(2)]);
  });
  afterEach(async () => {
    await caches.close();
    await removeRedisKeys(redisUrl(), caches.prefix);
  });

  it('gives each its own shape, whichever loaded first, and lets both keep theirs', async () => {
    expect(await users(old).getOrSet('u', load({ name: 'Ada L' }))).toEqual({ name: 'Ada L' });
    expect(await users(next).getOrSet('u', load({ first: 'Ada' }))).toEqual({ first: 'Ada' });
    // A second process of each release finds what its own has stored.
    for (const [version, shape] of [
      [1, { name: 'Ada L' }],
      [2, { first: 'Ada' }],
    ] as const) {
      const other = await release(version);
      await until(async () => (await users(other).get('u')) !== undefined);
      expect(await users(other).get('u')).toEqual(shape);
    }
    expect(await users(old).get('u')).toEqual({ name: 'Ada L' });
    expect(await users(next).get('u')).toEqual({ first: 'Ada' });
  });

  it.each([
    ['old', 'next'],
    ['next', 'old'],
  ])('lets an invalidation by the %s release remove what the %s has', async (by) => {
    const [writer, reader] = by === 'old' ? [old, next] : [next, old];
    const invalidations = [
      () => users(writer).invalidate('u'),
      () => users(writer).invalidateTags(['team']),
      () => writer.invalidateTags(['team']),
      () => users(writer).clear(),
      () => writer.flush(),
    ];
    for (const invalidate of invalidations) {
      await users(reader).set('u', 'kept', { tags: ['team'] });
      expect(await users(reader).get('u')).toBe('kept');
      await invalidate();
      await until(async () => (await users(reader).get('u')) === undefined);
    }
  });

  it('does not give the old release what the new one has set, nor the other way round', async () => {
    await users(old).set('u', 'one');
    await users(next).set('u', 'two');
    await until(async () => (await users(old).get('u')) !== 'one');
    expect(await users(old).getOrSet('u', load('one again'))).toBe('one again');
    expect(await users(next).get('u')).not.toBe('one again');
  });
});
