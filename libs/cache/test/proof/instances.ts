import { Logger } from '@nestjs/common';
import { createCache, type Cache, type CacheOptionsInput } from '../../src/index.js';
import { ChaosProxy } from '../../src/testing/index.js';
import { connected } from '../open-caches.js';
import { until } from '../until.js';
import { RunningClock } from './running-clock.js';

Logger.overrideLogger(false);

/** Far above the way of a message. */
const CALL_AGAIN_MS = 200;

/** One process as the others see it: a cache, and a network of its own towards Redis. */
export interface Instance {
  /** Unique over all that ever lived. */
  readonly id: number;
  readonly cache: Cache;
  readonly link: ChaosProxy;
}

/** Caches with one prefix and one Redis, each behind a network of its own that can be hurt. */
export class Instances {
  readonly clock = new RunningClock();
  readonly #live: Instance[] = [];
  readonly #dead: Instance[] = [];
  #ids = 0;

  constructor(
    private readonly redisUrl: string,
    private readonly options: Partial<CacheOptionsInput>,
    readonly timeoutMs: number,
  ) {}

  get live(): readonly Instance[] {
    return this.#live;
  }

  at(index: number): Instance {
    return this.#live[index % this.#live.length]!;
  }

  async open(seed = 1): Promise<Instance> {
    const link = await ChaosProxy.start(this.redisUrl, { seed });
    const redis = { url: link.url, timeoutMs: this.timeoutMs };
    const cache = createCache({ clock: this.clock, ...this.options, redis });
    const instance = { id: this.#ids++, cache, link };
    this.#live.push(instance);
    await connected(cache);
    return instance;
  }

  /** It sends and hears nothing more, and another starts in its place. What it has sent may still arrive. */
  async crash(index: number): Promise<void> {
    const instance = this.at(index);
    this.#live.splice(this.#live.indexOf(instance), 1);
    this.#dead.push(instance);
    instance.link.cut();
    instance.link.partition();
    await this.open(instance.link.seed + 1);
  }

  /** All links are well, all caches use Redis, and each has heard whatever was sent before. */
  async settle(): Promise<void> {
    await Promise.all(this.#live.map(({ link }) => link.calm()));
    await Promise.all(this.#live.map(({ cache }) => connected(cache)));
    await until(() => this.#live.every(({ cache }) => cache.stats().redis.pendingInvalidations === 0));
    // Twice: what was held back may arrive while the first round is counted.
    for (let round = 0; round < 2; round++) await this.#hearEachOther();
  }

  /** A cache that has not yet noticed that its connection was reset misses the first call. */
  async #hearEachOther(): Promise<void> {
    const others = this.#live.length - 1;
    let heard: number[] = [];
    let calledAt = -Infinity;
    const call = async () => {
      calledAt = performance.now();
      heard = this.#live.map(({ cache }) => cache.stats().redis.messages);
      await Promise.all(this.#live.map(({ cache }) => cache.namespace('query').invalidate('barrier')));
    };
    await until(async () => {
      if (performance.now() - calledAt > CALL_AGAIN_MS) await call();
      return this.#live.every(({ cache }, i) => cache.stats().redis.messages >= heard[i]! + others);
    });
  }

  async close(): Promise<void> {
    const all = [...this.#live.splice(0), ...this.#dead.splice(0)];
    await Promise.all(all.map(({ cache }) => cache.close()));
    await Promise.all(all.map(({ link }) => link.stop()));
  }
}
