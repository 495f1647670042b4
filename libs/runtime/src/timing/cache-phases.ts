import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { onCacheEvent } from '@peregrine/cache';
import { currentRequestTiming } from '@peregrine/metrics';

/** The phase of a request in which it waits for Redis or the object store. A hit in memory takes no time worth a phase. */
const PHASE = 'cache';

/** Gives the time that the cache looks below memory to the request that asked. */
@Injectable()
export class CachePhases implements OnModuleInit, OnApplicationShutdown {
  /** How to leave the phase, by the look. */
  readonly #running = new WeakMap<object, () => void>();
  #subscriptions: (() => void)[] = [];

  onModuleInit(): void {
    this.#subscriptions = [
      onCacheEvent('read:start', (look) => {
        const leave = currentRequestTiming()?.enter(PHASE);
        if (leave) this.#running.set(look, leave);
      }),
      onCacheEvent('read:end', (look) => this.#running.get(look)?.()),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.#subscriptions.splice(0)) end();
  }
}
