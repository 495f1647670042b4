import { predict, type Trees } from './boosted-trees.js';
import { type FeatureDomain, isWithin } from './feature-domain.js';

/** How long one plan takes: natural logarithms of milliseconds. */
export interface PlanLatency {
  readonly trees: Trees;
  /** Trained on other draws of the same samples: where they disagree, too little is known. */
  readonly heads: readonly Trees[];
  /** Standard deviation of actual from predicted. */
  readonly spread: number;
  /** How many it was trained on. */
  readonly samples: number;
  readonly domain: FeatureDomain;
}

/** By plan; undefined where nothing is known of one. */
export type LatencyModel = readonly (PlanLatency | undefined)[];

/** Of a larger one the tail is not normal, and the mean would be a guess. */
const MOST_SPREAD = 1;

/** How much better a plan has to be, to be taken instead of another. */
export interface GainGuard {
  /** Of the other's time, 0 to 1. */
  readonly minGain: number;
  /** Milliseconds. */
  readonly minGainMs: number;
}

/**
 * @param allowed one bit a plan
 * @param predictedMs where to: by plan, NaN for one that is not allowed, or of which nothing is known for such a row
 */
export function predictPlans(
  model: LatencyModel,
  row: Float64Array,
  allowed: number,
  predictedMs: Float64Array,
): void {
  for (let plan = 0; plan < predictedMs.length; plan++) {
    const latency = isAllowed(allowed, plan) ? model[plan] : undefined;
    predictedMs[plan] =
      latency && isWithin(latency.domain, row) ? meanMs(predict(latency.trees, row), latency) : NaN;
  }
}

/** The mean of what is normal as a logarithm: a plan whose times spread more costs more than at its median. */
export function meanMs(log: number, { spread }: PlanLatency): number {
  return Math.exp(log + Math.min(spread, MOST_SPREAD) ** 2 / 2);
}

/** @returns the fastest plan if it is worth leaving `start` for it, else `start` */
export function bestPlan(predictedMs: Float64Array, start: number, guard: GainGuard): number {
  const startMs = predictedMs[start] ?? NaN;
  const best = fastestPlan(predictedMs);
  const bestMs = predictedMs[best] ?? NaN;
  const isWorthIt = bestMs < startMs * (1 - guard.minGain) && startMs - bestMs > guard.minGainMs;
  return isWorthIt ? best : start;
}

/** @returns -1 when nothing is predicted */
export function fastestPlan(predictedMs: Float64Array): number {
  let best = -1;
  predictedMs.forEach((ms, plan) => {
    if (ms < (predictedMs[best] ?? Infinity)) best = plan;
  });
  return best;
}

export function isAllowed(allowed: number, plan: number): boolean {
  return ((allowed >>> plan) & 1) === 1;
}
