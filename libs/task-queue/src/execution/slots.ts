import { type AbortSource } from './lazy-abort.js';

interface Waiter {
  readonly priority: number;
  /** Takes all slots. */
  readonly alone: boolean;
  readonly admit: () => void;
}

/**
 * How many handler calls may run at once. The most urgent waits least; equals in the order of arrival. The number
 * of waiters is bounded by what a worker claims, so a scan finds the next one.
 */
export class Slots {
  readonly #waiters: Waiter[] = [];
  #taken = 0;
  #isTakenAlone = false;

  constructor(private readonly size: number) {}

  /**
   * @param priority lower is more urgent
   * @param alone all slots: when it is its turn by priority, the less urgent wait until it has ended
   * @returns gives the slot back; must be called exactly once
   * @throws the signal's reason, when it aborts while waiting
   */
  async acquire(priority: number, signal?: AbortSource, alone = false): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#waiters.length === 0 && this.#hasRoomFor(alone)) this.#take(alone);
    else await this.#wait(priority, alone, signal);
    return () => this.#release();
  }

  async #wait(priority: number, alone: boolean, signal?: AbortSource): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { priority, alone, admit: resolve };
    const onAbort = () => {
      const place = this.#waiters.indexOf(waiter);
      // It may have been admitted a moment before.
      if (place === -1) return;
      this.#waiters.splice(place, 1);
      reject(signal?.reason);
      this.#admit();
    };
    this.#waiters.push(waiter);
    signal?.addEventListener('abort', onAbort, { once: true });
    // More urgent than one that waits for all slots, it may find one free.
    this.#admit();
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Whoever may enter, the most urgent first; behind one that waits for all slots nobody does. */
  #admit(): void {
    for (let next = this.#next(); next && this.#hasRoomFor(next.alone); next = this.#next()) {
      this.#waiters.splice(this.#waiters.indexOf(next), 1);
      this.#take(next.alone);
      next.admit();
    }
  }

  #next(): Waiter | undefined {
    let next: Waiter | undefined;
    for (const waiter of this.#waiters) if (!next || waiter.priority < next.priority) next = waiter;
    return next;
  }

  #hasRoomFor(alone: boolean): boolean {
    return alone ? this.#taken === 0 : !this.#isTakenAlone && this.#taken < this.size;
  }

  #take(alone: boolean): void {
    this.#taken++;
    this.#isTakenAlone = alone;
  }

  #release(): void {
    this.#taken--;
    this.#isTakenAlone = false;
    this.#admit();
  }
}
