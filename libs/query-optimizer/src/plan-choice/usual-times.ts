/** Runs before the mean of a plan says anything. */
const LEAST_RUNS = 20;
/** The newest run counts for at least so much. */
const NEWEST_SHARE = 0.02;

/** Means by plan: what to expect of one that no model knows. */
export class UsualTimes {
  readonly #meansMs: Float64Array;
  readonly #runs: Uint32Array;

  constructor(planCount: number) {
    this.#meansMs = new Float64Array(planCount);
    this.#runs = new Uint32Array(planCount);
  }

  add(plan: number, ms: number): void {
    const runs = (this.#runs[plan] ?? 0) + 1;
    const mean = this.#meansMs[plan] ?? 0;
    this.#runs[plan] = runs;
    this.#meansMs[plan] = mean + (ms - mean) * Math.max(1 / runs, NEWEST_SHARE);
  }

  /** Milliseconds; NaN while there are too few runs. */
  of(plan: number): number {
    return (this.#runs[plan] ?? 0) < LEAST_RUNS ? NaN : (this.#meansMs[plan] ?? NaN);
  }
}
