import { type TrialMeasurement } from './statement-replay.js';

export interface VerdictLimits {
  readonly minGain: number;
  readonly maxRegression: number;
  readonly requireMeasurement: boolean;
}

export interface Verdict {
  readonly keep: boolean;
  /** For people. */
  readonly reason: string;
}

/** Below this a difference is noise of the machine, whatever part of the statement it is. */
const NOISE_MS = 0.5;

type Measured = TrialMeasurement & { readonly beforeMs: number; readonly afterMs: number };

/** Statements that take longer than the limit allows. */
export function regressionsIn(
  measurements: readonly TrialMeasurement[],
  maxRegression: number,
): readonly Measured[] {
  return measurements
    .filter(isMeasured)
    .filter((it) => it.afterMs > it.beforeMs * (1 + maxRegression) && it.afterMs - it.beforeMs > NOISE_MS);
}

/** Whether an index stays, by what was measured with and without it. */
export function judge(measurements: readonly TrialMeasurement[], limits: VerdictLimits): Verdict {
  const measured = measurements.filter(isMeasured);
  if (measured.length === 0) {
    return limits.requireMeasurement
      ? { keep: false, reason: 'Dropped: none of its statements could be measured' }
      : { keep: true, reason: 'Kept on the estimate: none of its statements could be measured' };
  }
  const [worst] = [...regressionsIn(measured, limits.maxRegression)].sort(
    (a, b) => changeOf(b) - changeOf(a),
  );
  if (worst) {
    return {
      keep: false,
      reason: `Dropped: ${worst.statement} went from ${times(worst)}, which is too much`,
    };
  }
  const before = total(measured, (it) => it.beforeMs);
  const after = total(measured, (it) => it.afterMs);
  const gain = before === 0 ? 0 : 1 - after / before;
  const figures = `${measured.length} statements, weighted by calls: ${percent(gain)} less time`;
  return gain >= limits.minGain
    ? { keep: true, reason: `Kept: ${figures}` }
    : { keep: false, reason: `Dropped: ${figures}, and ${percent(limits.minGain)} is asked for` };
}

const isMeasured = (it: TrialMeasurement): it is Measured => it.beforeMs !== null && it.afterMs !== null;
/** How many times as long a statement takes. */
export const changeOf = (it: Measured): number => it.afterMs / Math.max(it.beforeMs, Number.MIN_VALUE);
const times = (it: Measured) => `${it.beforeMs.toFixed(2)} ms to ${it.afterMs.toFixed(2)} ms`;
const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
const total = (all: readonly Measured[], of: (it: Measured) => number) =>
  all.reduce((sum, it) => sum + it.calls * of(it), 0);
