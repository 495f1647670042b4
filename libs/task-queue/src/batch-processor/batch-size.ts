export interface BatchSizeLimits {
  /** What a batch should take, milliseconds. */
  readonly targetMs: number;
  readonly minSize: number;
  readonly maxSize: number;
  /** Of the first batch. */
  readonly initialSize: number;
  /** Batches that run at once. */
  readonly concurrency: number;
}

/** From one measured batch to the next the size at most doubles, and falls to a quarter at the least. */
const GROWTH = 2;
const SHRINKAGE = 4;
/** A batch that holds less than this share of what was asked for tells too much about its fixed costs. */
const TELLING_SHARE = 0.5;

/**
 * Finds the size at which a batch takes the target. The cost of an item is the running median (Tukey, Exploratory
 * Data Analysis, 1977, chapter 7) of the last `2 * concurrency + 1` batches: a stalled event loop or a slow answer
 * that hits all batches that run at once is then still outvoted by those before and after it.
 */
export class BatchSize {
  readonly #costs: number[] = [];
  #size: number;

  constructor(private readonly limits: BatchSizeLimits) {
    this.#size = this.#bounded(limits.initialSize);
  }

  /** Items of the next batch: whole, within the bounds. */
  get current(): number {
    return this.#size;
  }

  /**
   * A batch came to a good end.
   *
   * @param asked the size when it was begun
   */
  observe(items: number, asked: number, tookMs: number): void {
    if (items === 0 || items < asked * TELLING_SHARE) return;
    this.#costs.push(tookMs / items);
    if (this.#costs.length > 2 * this.limits.concurrency + 1) this.#costs.shift();
    // Infinite where items took no time at all; the growth is bounded all the same.
    const wanted = this.limits.targetMs / median(this.#costs);
    // Measured from the size that was asked for: four batches of one size that end together are one step, not four.
    const next =
      wanted > this.#size
        ? Math.min(wanted, Math.max(this.#size, asked * GROWTH))
        : Math.max(wanted, Math.min(this.#size, asked / SHRINKAGE));
    this.#size = this.#bounded(next);
  }

  #bounded(size: number): number {
    const { minSize, maxSize } = this.limits;
    return Math.min(Math.max(Math.round(size), minSize), maxSize);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
