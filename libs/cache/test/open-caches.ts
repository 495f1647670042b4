import { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Cache, parseCacheOptions, type CacheOptionsInput } from '../src/index.js';
import { until } from './until.js';

// Lost connections are the subject here, not news.
Logger.overrideLogger(false);

type RedisInput = NonNullable<CacheOptionsInput['redis']>;

/** Caches of one test file: each stands for a process of its own, all share a prefix. */
export class OpenCaches {
  readonly #open: Cache[] = [];

  constructor(
    private readonly redis: string | RedisInput,
    readonly prefix = `peregrine-test-${randomBytes(6).toString('hex')}`,
  ) {}

  /** Opens a cache and does not wait for Redis. */
  async open(options: Partial<CacheOptionsInput> = {}, timeoutMs = 1_000): Promise<Cache> {
    const { prefix } = this;
    const redis = typeof this.redis === 'string' ? { url: this.redis } : this.redis;
    const cache = new Cache(parseCacheOptions({ prefix, redis: { ...redis, timeoutMs }, ...options }));
    this.#open.push(cache);
    await cache.onModuleInit();
    return cache;
  }

  /** Opens a cache that uses Redis and hears the others. */
  async connect(options: Partial<CacheOptionsInput> = {}, timeoutMs = 1_000): Promise<Cache> {
    const cache = await this.open(options, timeoutMs);
    await connected(cache);
    return cache;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((cache) => cache.onApplicationShutdown()));
  }
}

export const connected = (cache: Cache) =>
  until(() => {
    const { available, subscribed } = cache.stats().redis;
    return available && subscribed;
  });

/** A promise to be settled by hand, and its being reached. */
export class Gate<T> {
  readonly #settle = Promise.withResolvers<T>();
  readonly #reached = Promise.withResolvers<void>();

  readonly load = (): Promise<T> => {
    this.#reached.resolve();
    return this.#settle.promise;
  };
  get reached(): Promise<void> {
    return this.#reached.promise;
  }
  open(value: T): void {
    this.#settle.resolve(value);
  }
}
