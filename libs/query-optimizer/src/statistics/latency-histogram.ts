/** Eight buckets a doubling, so a percentile is at most 9 % too high. From 1 µs to over an hour. */
const BUCKETS_A_DOUBLING = 8;
const DOUBLINGS = 32;
const FIRST_MS = 0.001;

/** Durations, in constant space. */
export class LatencyHistogram {
  readonly #buckets = new Float64Array(BUCKETS_A_DOUBLING * DOUBLINGS);
  count = 0;
  sumMs = 0;
  maxMs = 0;

  add(ms: number): void {
    const exact = Math.ceil(Math.log2(Math.max(ms, FIRST_MS) / FIRST_MS) * BUCKETS_A_DOUBLING);
    const index = Math.min(exact, this.#buckets.length - 1);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.count++;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** Of a histogram that was kept elsewhere. @param buckets as {@link buckets} gave them; what is none is left out */
  addBuckets(buckets: Iterable<readonly [index: number, count: number]>, sumMs: number, maxMs: number): void {
    for (const [index, count] of buckets) {
      const known = this.#buckets[index];
      if (known === undefined) continue;
      this.#buckets[index] = known + count;
      this.count += count;
    }
    this.sumMs += sumMs;
    this.maxMs = Math.max(this.maxMs, maxMs);
  }

  /** Those that are not empty: index and count. */
  buckets(): [index: number, count: number][] {
    return [...this.#buckets.entries()].filter(([, count]) => count > 0);
  }

  /** @param share 0 to 1 @returns milliseconds, the upper end of the bucket; 0 without any */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0 && count > 0) return Math.min(FIRST_MS * 2 ** (index / BUCKETS_A_DOUBLING), this.maxMs);
    }
    return this.maxMs;
  }

  /** @param boundsMs ascending @returns how many were at most as long as each */
  cumulative(boundsMs: readonly number[]): number[] {
    return boundsMs.map((bound) => {
      let sum = 0;
      for (const [index, count] of this.#buckets.entries()) {
        if (FIRST_MS * 2 ** (index / BUCKETS_A_DOUBLING) > bound * 1.000001) break;
        sum += count;
      }
      return sum;
    });
  }
}
