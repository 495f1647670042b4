import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cache } from '../src/index.js';
import { OpenCaches } from './open-caches.js';
import { MASTER_NAME, RedisSentinel } from './redis-sentinel.js';
import { until } from './until.js';

describe('a master behind Sentinel', () => {
  let sentinel: RedisSentinel;
  let caches: OpenCaches;
  const content = (cache: Cache) => cache.namespace('content');
  const open = () => {
    caches = new OpenCaches({ sentinel: { nodes: sentinel.nodes, name: MASTER_NAME } });
    return Promise.all([caches.connect(), caches.connect()]);
  };
  const isOn = async (cache: Cache) => {
    const { port } = await sentinel.master();
    await until(() => {
      const { available, subscribed, servers } = cache.stats().redis;
      return available && subscribed && servers[0]!.name.endsWith(`:${port}`);
    });
  };
  const heard = async (from: Cache, to: Cache) => {
    const before = to.stats().redis.messages;
    await content(from).invalidate('nothing');
    await until(() => to.stats().redis.messages > before);
  };

  beforeAll(async () => {
    sentinel = await RedisSentinel.start();
  }, 240_000);
  afterEach(() => caches.close());
  afterAll(() => sentinel.remove());

  it('asks the sentinels where the master is', async () => {
    const [a, b] = await open();
    await content(a).set('k', 'new', { tags: ['tag'] });
    await heard(a, b);
    expect(await content(b).get('k')).toBe('new');
    await a.invalidateTags(['tag']);
    await heard(a, b);
    expect(await content(b).get('k')).toBeUndefined();
  });

  it('follows a failover, and starts cold on the new master', async () => {
    const [a, b] = await open();
    await content(a).set('k', 'old');
    await heard(a, b);
    expect(await content(b).get('k')).toBe('old');
    await sentinel.failover();
    // Wherever it is by now, it gets there.
    await content(a).invalidate('k');
    await Promise.all([a, b].map(isOn));
    await until(() => a.stats().redis.pendingInvalidations === 0);
    await heard(a, b);
    expect(await content(b).get('k')).toBeUndefined();
    await content(a).set('k', 'new');
    await heard(a, b);
    expect(await content(b).get('k')).toBe('new');
  }, 240_000);

  it('brings nothing back when the old master becomes the master again', async () => {
    const [a, b] = await open();
    await content(a).set('k', 'old');
    await sentinel.failover();
    await Promise.all([a, b].map(isOn));
    await content(a).invalidate('k');
    await sentinel.failover();
    await Promise.all([a, b].map(isOn));
    expect(await content(await caches.connect()).get('k')).toBeUndefined();
  }, 240_000);

  it('goes on without Redis while there is no master, and replays on the next what was invalidated', async () => {
    const [a, b] = await open();
    await content(a).set('k', 'old');
    await heard(a, b);
    const victim = await sentinel.master();
    await victim.kill();
    await content(a).invalidate('k');
    expect(await content(a).getOrSet('k', () => Promise.resolve('loaded'))).toBe('loaded');
    await until(async () => (await sentinel.master()) !== victim);
    await Promise.all([a, b].map(isOn));
    await until(() => a.stats().redis.pendingInvalidations === 0);
    await heard(a, b);
    expect(await content(b).get('k')).not.toBe('old');
    await victim.start();
  }, 240_000);

  it('tells when the sentinels know no such master', async () => {
    caches = new OpenCaches({ sentinel: { nodes: sentinel.nodes, name: 'another' } });
    const cache = await caches.open();
    await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_UNSUPPORTED');
    expect(cache.stats().redis.lastError?.message).toContain('knows no master "another"');
    expect(await content(cache).getOrSet('k', () => Promise.resolve(1))).toBe(1);
  });
});
