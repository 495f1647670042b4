import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { BenchRedisError } from '../bench.errors.ts';
import { endWithProcess } from './end-with-process.ts';

const LOOPBACK = '127.0.0.1';
const START_TIMEOUT_MS = 10_000;

/** A port that nobody listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A Redis of our own on a free loopback port that keeps nothing on disk and ends with this process. */
export class BenchRedis {
  readonly port: number;
  readonly version: string;
  readonly #server: ChildProcess;
  readonly #admin: Redis;

  private constructor(port: number, version: string, server: ChildProcess, admin: Redis) {
    this.port = port;
    this.version = version;
    this.#server = server;
    this.#admin = admin;
    endWithProcess(server);
  }

  get url(): string {
    return `redis://${LOOPBACK}:${this.port}`;
  }

  get versions(): Record<string, string> {
    return { Redis: this.version };
  }

  /** @throws {BenchRedisError} when there is no program or it does not start */
  static async start(): Promise<BenchRedis> {
    const port = await findFreePort();
    const args = [
      '--port',
      `${port}`,
      '--bind',
      LOOPBACK,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      tmpdir(),
    ];
    const server = spawn('redis-server', args, { stdio: 'ignore' });
    const admin = new Redis({ port, host: LOOPBACK, retryStrategy: () => 50, maxRetriesPerRequest: null });
    admin.on('error', () => undefined);
    const missing = once(server, 'error').then(([error]) => {
      throw new BenchRedisError('redis-server was not found: install Redis 6.2 or newer.', { cause: error });
    });
    missing.catch(() => undefined);
    const late = delay(START_TIMEOUT_MS, undefined, { ref: false }).then(() => {
      throw new BenchRedisError(`redis-server did not answer on port ${port} in ${START_TIMEOUT_MS} ms`);
    });
    late.catch(() => undefined);
    try {
      const info = await Promise.race([admin.info('server'), missing, late]);
      const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
      return new BenchRedis(port, version, server, admin);
    } catch (error) {
      admin.disconnect();
      server.kill('SIGKILL');
      throw error;
    }
  }

  async flush(): Promise<void> {
    await this.#admin.flushall('SYNC');
  }

  /** Ends it without a word to its clients, as a crash does; the port refuses from then on. Again: nothing. */
  async stop(): Promise<void> {
    this.#admin.disconnect();
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const exited = once(this.#server, 'exit');
      this.#server.kill('SIGKILL');
      await exited;
    }
  }

  /** Stops answering, with all connections open. */
  pause(): void {
    this.#server.kill('SIGSTOP');
  }
}
