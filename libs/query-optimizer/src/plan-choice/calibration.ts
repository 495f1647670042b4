/** Newest runs of a plan that are looked at. */
const WINDOW = 500;
const FACTOR = Math.log(2);

/** How good the predictions of one plan are, by its newest runs. */
export interface PlanCalibration {
  readonly runs: number;
  /** Of actual to predicted, as a natural logarithm: above 0 it takes longer than predicted. Null without runs. */
  readonly meanLogRatio: number | null;
  /** Share of the runs that took between half and twice of what was predicted. Null without runs. */
  readonly withinFactor2: number | null;
}

export class Calibration {
  readonly #ratios = new Float64Array(WINDOW);
  #count = 0;

  /** @param logRatio logarithm of actual to predicted */
  add(logRatio: number): void {
    this.#ratios[this.#count++ % WINDOW] = logRatio;
  }

  report(): PlanCalibration {
    const ratios = this.#ratios.subarray(0, Math.min(this.#count, WINDOW));
    const runs = ratios.length;
    if (runs === 0) return { runs, meanLogRatio: null, withinFactor2: null };
    return {
      runs,
      meanLogRatio: ratios.reduce((sum, it) => sum + it, 0) / runs,
      withinFactor2: ratios.filter((it) => Math.abs(it) <= FACTOR).length / runs,
    };
  }
}
