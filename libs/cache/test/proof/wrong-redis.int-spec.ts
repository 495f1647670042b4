import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Cache } from '../../src/index.js';
import { createRedisClient } from '../../src/redis/redis-client.js';
import { connected, OpenCaches } from '../open-caches.js';
import { RedisServer } from '../redis-server.js';
import { until } from '../until.js';

const SECRET = 'very-secret-word';
const content = (cache: Cache) => cache.namespace('content');
const load = (value: unknown) => () => Promise.resolve(value);

/** Works as a cache in memory does, and remembers what Redis is to be told. */
async function expectToWorkAlone(cache: Cache): Promise<void> {
  expect(await content(cache).getOrSet('k', load(1))).toBe(1);
  expect(await content(cache).getOrSet('k', load(2))).toBe(1);
  await content(cache).invalidate('k');
  expect(await content(cache).getOrSet('k', load(3))).toBe(3);
  expect(cache.stats().redis).toMatchObject({ available: false, pendingInvalidations: 1 });
}

describe('a Redis with a password', () => {
  let server: RedisServer;
  let caches: OpenCaches;
  const setPassword = async (from: string, to: string) => {
    const redis = createRedisClient({ url: from === '' ? server.url : withPassword(from) });
    await redis.connect();
    await redis.sendCommand(['CONFIG', 'SET', 'requirepass', to]);
    await redis.disconnect();
  };
  const withPassword = (password: string) => server.url.replace('//', `//:${password}@`);

  beforeEach(async () => {
    server = await RedisServer.start();
    await setPassword('', SECRET);
  });
  afterEach(async () => {
    await caches.close();
    await server.remove();
  });

  it.each(['', 'wrong'])(
    'says so when it is given "%s", works without it, and loses nothing',
    async (password) => {
      caches = new OpenCaches(password === '' ? server.url : withPassword(password));
      const cache = await caches.open({}, 200);
      await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_AUTH');
      const { message } = cache.stats().redis.lastError!;
      expect(message).toContain(`127.0.0.1:${server.port}`);
      expect(message).not.toContain(SECRET);
      expect(message).not.toContain('//');
      await expectToWorkAlone(cache);
      // The password is right from here on: what was pending is told, and Redis is used.
      await setPassword(SECRET, password);
      await connected(cache);
      expect(cache.stats().redis).toMatchObject({ pendingInvalidations: 0, lastError: null });
      await content(cache).set('k', 4);
      expect(await content(await caches.connect()).get('k')).toBe(4);
    },
    30_000,
  );

  it('is used with the right one', async () => {
    caches = new OpenCaches(withPassword(SECRET));
    await content(await caches.connect()).set('k', 1);
    expect(await content(await caches.connect()).get('k')).toBe(1);
  });
});

/** Talks like a Redis of long ago; only what it says of itself matters. */
class OldRedis {
  readonly commands: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => this.#answer(socket, bytes.toString('latin1')));
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(socket: Socket, request: string): void {
    for (const [, name = ''] of request.matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)) {
      this.commands.push(name.toUpperCase());
      socket.write(this.#reply(name.toUpperCase()));
    }
  }
  #reply(command: string): string {
    if (command === 'HELLO') return "-ERR unknown command 'HELLO'\r\n";
    if (command === 'CLIENT') return ':7\r\n';
    if (command === 'PING') return '+PONG\r\n';
    if (command !== 'INFO') return '+OK\r\n';
    const info = [
      ...['# Server', 'redis_version:5.0.14', 'redis_mode:standalone', `run_id:${'a'.repeat(40)}`],
      ...['# Replication', 'role:master', `master_replid:${'b'.repeat(40)}`, ''],
    ].join('\r\n');
    return `$${info.length}\r\n${info}\r\n`;
  }
}

describe('a Redis that is too old', () => {
  it('is named with its version, is asked nothing more, and the cache works without it', async () => {
    const old = new OldRedis();
    const caches = new OpenCaches(await old.start());
    try {
      const cache = await caches.open({}, 200);
      await until(() => cache.stats().redis.lastError?.code === 'CACHE_REDIS_VERSION');
      expect(cache.stats().redis.lastError!.message).toContain('5.0.14');
      await expectToWorkAlone(cache);
      expect(old.commands).not.toContain('EVALSHA');
    } finally {
      await caches.close();
      old.stop();
    }
  });
});
