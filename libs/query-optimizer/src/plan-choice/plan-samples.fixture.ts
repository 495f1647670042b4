import { type LatencyModel } from './latency-model.js';
import { ModelFit } from './model-fit.js';
import { SampleLog, type SampleSet } from './sample-log.js';
import { seededRandom } from './seeded-random.js';

export const GUARD = { minGain: 0.2, minGainMs: 1 };
export const FIT = { halfLife: 2_000, seed: 1 };

/** Samples of two features, 0 to 1, and two plans, each run as often: the first is the fallback. @param labelOf logarithm of milliseconds */
export function samplesOf(
  count: number,
  labelOf: (plan: number, row: Float64Array, place: number) => number,
  seed = 1,
): SampleSet {
  const random = seededRandom(seed);
  const log = new SampleLog(count, 2);
  for (let place = 0; place < count; place++) {
    const features = Float64Array.of(random(), random());
    const plan = random() < 0.5 ? 0 : 1;
    const label = labelOf(plan, features, place) + 0.2 * (random() - 0.5);
    log.add({ features, plan, fallback: 0, allowed: 3, label, propensity: 0.5 });
  }
  return log.snapshot();
}

/** 20 ms, or by the second plan 5 ms in one half and 80 ms in the other. */
export const halves = (plan: number, [place = 0]: Float64Array) =>
  Math.log(plan === 0 ? 20 : place > 0.5 ? 5 : 80);

export function fitted(samples: SampleSet, prior?: LatencyModel): LatencyModel {
  return new ModelFit(samples, 2, prior, FIT).whole();
}
