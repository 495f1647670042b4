import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Cache } from '../src/index.js';
import { OpenCaches } from './open-caches.js';
import { ask, RedisServer } from './redis-server.js';
import { until } from './until.js';

const SECRET = 'pa55:word/@';

describe('a Redis with limits of its own', () => {
  let server: RedisServer | undefined;
  let caches: OpenCaches;
  const content = (cache: Cache) => cache.namespace('content');
  const urlWith = (password: string) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${server!.port}`;
  const withLog = async (use: (log: string[]) => Promise<void>) => {
    const log: string[] = [];
    const write = (message: unknown) => void log.push(String(message));
    Logger.overrideLogger({ log: () => undefined, warn: write, error: write });
    try {
      await use(log);
    } finally {
      Logger.overrideLogger(false);
    }
  };

  afterEach(async () => {
    await caches.close();
    await server?.remove();
    server = undefined;
  });

  it('takes the password and the database from the URL', async () => {
    server = await RedisServer.start('--requirepass', SECRET);
    caches = new OpenCaches(`${urlWith(SECRET)}/3`);
    const [a, b] = await Promise.all([caches.connect(), caches.connect()]);
    await content(a).set('k', 1);
    expect(await content(b).get('k')).toBe(1);
    expect(await ask(`${urlWith(SECRET)}/3`, 'DBSIZE')).toBeGreaterThan(0);
    expect(await ask(urlWith(SECRET), 'DBSIZE')).toBe(0);
  });

  it.each([
    ['a wrong password', urlWith.bind(undefined, 'guessed')],
    ['no password', () => server!.url],
  ])('works without Redis for %s, tells it once, and names no password', async (_, url) => {
    server = await RedisServer.start('--requirepass', SECRET);
    await withLog(async (log) => {
      caches = new OpenCaches(url());
      const cache = await caches.open();
      await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_AUTH');
      const { errors } = cache.stats().redis;
      expect(await content(cache).getOrSet('k', () => Promise.resolve(1))).toBe(1);
      await content(cache).invalidate('k');
      expect(cache.stats().redis).toMatchObject({ available: false, pendingInvalidations: 1 });
      // It has tried again.
      await until(() => cache.stats().redis.errors > errors || cache.stats().redis.errors === 0);
      expect(log.filter((it) => it.includes('CACHE_REDIS_AUTH'))).toHaveLength(1);
      expect(log.join() + JSON.stringify(cache.stats())).not.toMatch(/guessed|pa55/);
    });
  });

  it('recovers when the password is put right', async () => {
    server = await RedisServer.start('--requirepass', SECRET);
    caches = new OpenCaches(urlWith('guessed'));
    const cache = await caches.open();
    await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_AUTH');
    await ask(urlWith(SECRET), 'CONFIG', 'SET', 'requirepass', 'guessed');
    await until(() => cache.stats().redis.available);
    expect(cache.stats().redis.lastError).toBeNull();
  });

  it('works without a Redis that is too old, and says which version it is', async () => {
    const old = await answering((command) =>
      command.startsWith('INFO')
        ? bulk('redis_version:6.0.16\r\nredis_mode:standalone\r\nrun_id:abc\r\nrole:master\r\n')
        : '+OK\r\n',
    );
    caches = new OpenCaches(`redis://127.0.0.1:${(old.address() as AddressInfo).port}`);
    const cache = await caches.open();
    await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_VERSION');
    expect(cache.stats().redis.lastError?.message).toContain('6.0.16');
    expect(await content(cache).getOrSet('k', () => Promise.resolve(1))).toBe(1);
    await caches.close();
    old.close();
  });

  it('does not take a replica for the server', async () => {
    const master = await RedisServer.start();
    server = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port));
    caches = new OpenCaches(server.url);
    const cache = await caches.open();
    await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_UNSUPPORTED');
    expect(cache.stats().redis.lastError?.message).toContain('replica');
    await master.remove();
  });

  it('takes what Redis has evicted for a miss, whichever part of it', async () => {
    server = await RedisServer.start('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-random');
    caches = new OpenCaches(server.url);
    const [a, b] = await Promise.all([caches.connect(), caches.connect()]);
    let version = 0;
    for (let round = 0; round < 10; round++) {
      version++;
      await content(a).invalidateTags(['all']);
      const entries = Array.from(
        { length: 900 },
        (_, i) => [`k${i}`, { version, fill: randomBytes(2_000) }] as const,
      );
      await content(a).setMany(entries, { tags: ['all'] });
      const before = b.stats().redis.messages;
      await content(a).invalidate('nothing');
      await until(() => b.stats().redis.messages > before);
      const found = await content(b).getMany<{ version: number }>(entries.map(([key]) => key));
      for (const value of found.values()) expect(value.version).toBe(version);
    }
    expect(String(await ask(server.url, 'INFO', 'stats'))).not.toContain('evicted_keys:0\r');
  }, 30_000);

  it('hands values through that a full Redis does not take, and still invalidates', async () => {
    server = await RedisServer.start('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction');
    caches = new OpenCaches(server.url);
    const [a, b] = await Promise.all([caches.connect(), caches.connect()]);
    await content(a).set('k', 'old');
    for (let i = 0; i < 100; i++) {
      await content(a).getOrSet(`fill${i}`, () => Promise.resolve(randomBytes(100_000)));
    }
    await until(() => a.stats().redis.errors > 0);
    await content(a).set('k', randomBytes(500_000));
    await until(async () => (await content(b).get('k')) !== 'old');
    await content(b).invalidate('k');
    expect(a.stats().redis.pendingInvalidations).toBe(0);
  });
});

/** Something that listens and answers as it is told. */
async function answering(answer: (command: string) => string): Promise<Server> {
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      // One answer for each command: a line with `*` begins one.
      for (const command of data
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        socket.write(answer(command.replace(/\$\d+\r\n/g, '').replace(/\r\n/g, ' ')));
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return listener;
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
