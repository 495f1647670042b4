/** So many a minute, so many at once. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds of a monotonic clock */
  constructor(
    private readonly perMinute: number,
    private readonly burst: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** @param spare how many have to be left for others @returns whether there was one */
  take(spare = 0): boolean {
    const now = this.now();
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#filledAt) / 60_000) * this.perMinute);
    this.#filledAt = now;
    if (this.#tokens < 1 + spare) return false;
    this.#tokens--;
    return true;
  }
}
