/** Deviations that a single measurement counts for at most: one that hung is no drift. */
const CLIP = 3;
/** Deviations by which everything may be off for ever. */
const SLACK = 0.75;
/** Of the sum of what is above the slack. With independent normal errors that is one false alarm in some 400,000 measurements. */
export const CUSUM_THRESHOLD = 8;

/** One direction. */
class Side {
  sum = 0;
  /** Since the sum was last zero: what changed, changed then. */
  count = 0;
  total = 0;

  add(deviations: number, error: number): void {
    this.sum += deviations - SLACK;
    if (this.sum <= 0) return this.reset();
    this.count++;
    this.total += error;
  }

  reset(): void {
    this.sum = this.count = this.total = 0;
  }
}

export interface Change {
  /** Measurements since. */
  readonly count: number;
  /** Their mean error. */
  readonly shift: number;
}

/** Page's cumulative sums (Biometrika, 1954) in both directions: notices that errors are no longer around zero, and since when. */
export class Cusum {
  readonly #up = new Side();
  readonly #down = new Side();

  /** How near an alarm is; at `CUSUM_THRESHOLD` it is one. */
  get value(): number {
    return Math.max(this.#up.sum, this.#down.sum);
  }

  /** @param spread one standard deviation of errors */
  add(error: number, spread: number): Change | undefined {
    const deviations = Math.max(-CLIP, Math.min(CLIP, error / spread));
    this.#up.add(deviations, error);
    this.#down.add(-deviations, error);
    const side = [this.#up, this.#down].find((it) => it.sum > CUSUM_THRESHOLD);
    if (!side) return undefined;
    const change = { count: side.count, shift: side.total / side.count };
    this.#up.reset();
    this.#down.reset();
    return change;
  }
}
