import { type GainGuard, type LatencyModel } from './latency-model.js';
import { type FitOptions, ModelFit } from './model-fit.js';
import { heldOutError, replay, type Verdict } from './replay.js';
import { type SampleSet } from './sample-log.js';

/** As many samples are replayed at most. */
export const REPLAYED = 500;
/** A spread is measured by so many held-out samples at least. */
const LEAST_HELD_OUT = 10;
/** Nothing is so even that a difference of a tenth would be news. */
const LEAST_SPREAD = 0.1;

export interface TrainingJob extends FitOptions {
  readonly samples: SampleSet;
  readonly planCount: number;
  readonly guard: GainGuard;
  readonly prior: LatencyModel | undefined;
  /** In use now, trained (like its prior) without the last `unseen` samples. */
  readonly current: LatencyModel | undefined;
  readonly unseen: number;
}

export interface TrainingResult {
  readonly model: LatencyModel;
  readonly verdict: Verdict;
}

/** What is trained from: replaced only by tests of bad models. */
export type Fit = Pick<ModelFit, 'whole' | 'without'>;

/**
 * A model of all samples, and whether to use it. It is judged by the newest samples, which the current model has not seen: two
 * models are trained without every second one of them, and each is asked about those that it has not seen either.
 */
export function trainRound(job: TrainingJob, fit: Fit = fitOf(job)): TrainingResult {
  const { samples, planCount, guard, current } = job;
  const from = samples.count - Math.min(samples.count, job.unseen, REPLAYED);
  const halves = [0, 1].map((half) => fit.without((place) => place >= from && place % 2 === half));
  const candidateFor = (place: number) => halves[place % 2] ?? [];
  const verdict = replay({ samples, from, planCount, guard, current, candidateFor });
  return { model: withSpreads(fit.whole(), samples, from, candidateFor), verdict };
}

function fitOf({ samples, planCount, prior, halfLife, seed }: TrainingJob): ModelFit {
  return new ModelFit(samples, planCount, prior, { halfLife, seed });
}

/** Those of held-out samples: by plan where there are enough of them, else of all, else as they were. */
function withSpreads(
  model: LatencyModel,
  samples: SampleSet,
  from: number,
  candidateFor: (place: number) => LatencyModel,
): LatencyModel {
  const squares: number[][] = model.map(() => []);
  for (let place = from; place < samples.count; place++) {
    const error = heldOutError(samples, place, candidateFor(place));
    if (error !== undefined) squares[samples.plans[place] ?? 0]?.push(error * error);
  }
  const all = spreadOf(squares.flat());
  return model.map((latency, plan) => {
    const spread = spreadOf(squares[plan] ?? []) ?? all;
    return latency && spread !== undefined ? { ...latency, spread } : latency;
  });
}

function spreadOf(squares: readonly number[]): number | undefined {
  if (squares.length < LEAST_HELD_OUT) return undefined;
  const mean = squares.reduce((sum, it) => sum + it, 0) / squares.length;
  return Math.max(Math.sqrt(mean), LEAST_SPREAD);
}
