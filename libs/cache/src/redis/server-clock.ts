/** How long a comparison of the clocks is good for: they drift, and the server's may be set. */
const GOOD_FOR_MS = 5_000;

/**
 * The clock of a Redis server, as far as is known here: never behind it, so that nothing seems to live longer than it does.
 * The wall clock of this machine does not matter.
 */
export class ServerClock {
  #aheadMs = Infinity;
  #comparedAt = -Infinity;

  /** @param sentAt `performance.now()` when the server was asked @param serverMs its answer, milliseconds since 1970 */
  compare(sentAt: number, serverMs: number): void {
    this.#aheadMs = serverMs - sentAt;
    this.#comparedAt = sentAt;
  }

  get now(): number {
    return performance.now() + this.#aheadMs;
  }

  get isDue(): boolean {
    return performance.now() - this.#comparedAt > GOOD_FOR_MS;
  }

  /** Keeps others from asking too, while one asks. */
  postpone(): void {
    this.#comparedAt = performance.now();
  }
}
