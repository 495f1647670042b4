import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cache } from '../src/index.js';
import { OpenCaches } from './open-caches.js';
import { ask, RedisServer } from './redis-server.js';

const COUNT = 400;
const KEYS = Array.from({ length: COUNT }, (_, i) => `k${i}`);

describe('reads that no load follows, of entries whose tags they do not name', () => {
  let server: RedisServer;
  let caches: OpenCaches;
  let reader: Cache;
  const content = () => reader.namespace('content');
  const dataKeys = async () => (await ask(server.url, 'DBSIZE')) as number;
  /** Round trips, and scripts among them, since they were counted last. */
  const counted = async () => {
    const [stats, byCommand] = [
      await ask(server.url, 'INFO', 'stats'),
      await ask(server.url, 'INFO', 'commandstats'),
    ];
    await ask(server.url, 'CONFIG', 'RESETSTAT');
    const number = (text: unknown, pattern: RegExp) => Number(pattern.exec(String(text))?.[1] ?? 0);
    return {
      roundTrips: number(stats, /total_reads_processed:(\d+)/),
      scripts: number(byCommand, /cmdstat_evalsha:calls=(\d+)/),
    };
  };

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    caches = new OpenCaches(server.url);
    const writer = await caches.connect();
    await writer.namespace('content').setMany(
      KEYS.map((key) => [key, { key }] as const),
      { tags: (key) => [`of ${key}`] },
    );
    reader = await caches.connect();
    await counted();
  });
  afterEach(() => caches.close());
  afterAll(() => server.remove());

  it('come down to one round trip', async () => {
    for (const key of KEYS) expect(await content().get(key)).toEqual({ key });
    expect((await counted()).roundTrips).toBeLessThan(1.3 * COUNT);
  });

  it('come down to one round trip for many at once', async () => {
    for (let at = 0; at < COUNT; at += 4)
      expect((await content().getMany(KEYS.slice(at, at + 4))).size).toBe(4);
    expect((await counted()).roundTrips).toBeLessThan(1.5 * (COUNT / 4));
  });

  it('go back to the cheaper command when entries have no tags', async () => {
    await content().getMany(KEYS.slice(0, 100));
    await content().getMany(KEYS.slice(100, 200));
    await counted();
    for (let i = 0; i < 100; i++) await content().get(`nothing ${i}`);
    expect((await counted()).scripts).toBeLessThan(30);
  });

  it('leave nothing in Redis for what is not there, whichever command answers', async () => {
    await content().getMany(KEYS.slice(0, 100));
    const before = await dataKeys();
    await content().getMany(Array.from({ length: 100 }, (_, i) => `nothing ${i}`));
    for (let i = 0; i < 50; i++) await content().get(`nothing ${i}`);
    expect(await dataKeys()).toBe(before);
  });
});
