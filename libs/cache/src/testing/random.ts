/**
 * Random numbers that come again with the same seed, so that a failure found under chaos can be repeated.
 * Marsaglia, "Xorshift RNGs" (2003), the 32 bit variant (13, 17, 5), with the seed multiplied first so that near seeds part.
 */
export class SeededRandom {
  #state: number;

  /** @param seed any integer. */
  constructor(seed: number) {
    // Zero is the one state that xorshift never leaves.
    this.#state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) || 1;
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }

  /** A number of the range, or the number itself. */
  within(range: number | ChaosRange): number {
    return typeof range === 'number' ? range : range.min + this.next() * (range.max - range.min);
  }

  /** True with the probability `rate`, 0 to 1. */
  happens(rate: number): boolean {
    return this.next() < rate;
  }
}

/** Milliseconds, drawn anew each time between the two. */
export interface ChaosRange {
  readonly min: number;
  readonly max: number;
}
