import { type TrialMeasurement } from './statement-replay.js';

export interface VerdictLimits {
  /** Part of their time by which the statements of an index must be faster together. */
  readonly minGain: number;
  /** A statement that takes longer by this part is weighed and named. */
  readonly maxRegression: number;
  /** Longer by this part none may be, whatever others gain. */
  readonly toleratedRegression: number;
  readonly requireMeasurement: boolean;
}

export interface Verdict {
  readonly keep: boolean;
  /** For people. */
  readonly reason: string;
}

/** Below this a difference is noise of the machine, whatever part of the statement it is. */
export const NOISE_MS = 0.5;

export type Measured = TrialMeasurement & { readonly beforeMs: number; readonly afterMs: number };

/** Statements that take longer than the limit allows, those first that lose most. */
export function regressionsIn(
  measurements: readonly TrialMeasurement[],
  maxRegression: number,
): readonly Measured[] {
  return measurements
    .filter(isMeasured)
    .filter((it) => it.afterMs > it.beforeMs * (1 + maxRegression) && it.afterMs - it.beforeMs > NOISE_MS)
    .toSorted((a, b) => changeOf(b) - changeOf(a));
}

/** Whether an index stays, by what was measured with and without it: all its statements together, each by its calls. */
export function judge(measurements: readonly TrialMeasurement[], limits: VerdictLimits): Verdict {
  const measured = measurements.filter(isMeasured);
  if (measured.length === 0) {
    return limits.requireMeasurement
      ? { keep: false, reason: 'Dropped: none of its statements could be measured' }
      : { keep: true, reason: 'Kept on the estimate: none of its statements could be measured' };
  }
  const [worst] = regressionsIn(measured, limits.toleratedRegression);
  if (worst) return { keep: false, reason: `Dropped: ${changeText(worst)}, which is too much` };
  const slower = regressionsIn(measured, limits.maxRegression).map(changeText).join('; ');
  const gain = gainIn(measured);
  const figures = `${measured.length} statements, weighted by calls: ${percent(gain)} less time`;
  if (gain < limits.minGain) {
    const loss = slower === '' ? '' : ` (${slower})`;
    return {
      keep: false,
      reason: `Dropped: ${figures}, and ${percent(limits.minGain)} is asked for${loss}`,
    };
  }
  const tolerated = slower === '' ? '' : `. Tolerated, as the others gain more: ${slower}`;
  return { keep: true, reason: `Kept: ${figures}${tolerated}` };
}

/** Why an index goes before it is measured. */
export const tooLarge = (sizeBytes: number, maxBytes: number): string =>
  `Dropped: it takes ${sizeBytes} bytes, and ${maxBytes} were left for it`;

/** Part of their time, weighted by calls, that the statements together are faster by. */
export function gainIn(measured: readonly Measured[]): number {
  const before = weightedMs(measured, (it) => it.beforeMs);
  return before === 0 ? 0 : 1 - weightedMs(measured, (it) => it.afterMs) / before;
}

export const weightedMs = (all: readonly Measured[], of: (it: Measured) => number): number =>
  all.reduce((sum, it) => sum + it.calls * of(it), 0);
/** Milliseconds, weighted by calls; below zero it loses. */
export const savedMs = (it: Measured): number => it.calls * (it.beforeMs - it.afterMs);
export const isMeasured = (it: TrialMeasurement): it is Measured =>
  it.beforeMs !== null && it.afterMs !== null;
export const changeText = (it: Measured): string =>
  `${it.statement} went from ${it.beforeMs.toFixed(2)} ms to ${it.afterMs.toFixed(2)} ms`;
/** How many times as long a statement takes. */
const changeOf = (it: Measured): number => it.afterMs / Math.max(it.beforeMs, Number.MIN_VALUE);
const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
