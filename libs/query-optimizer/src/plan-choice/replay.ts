import { bestPlan, type GainGuard, type LatencyModel, predictPlans } from './latency-model.js';
import { predict } from './boosted-trees.js';
import { type SampleSet } from './sample-log.js';

/** With fewer samples nothing is said of an error. */
const LEAST_ERRORS = 10;
/** An error this much above that of the current model is not by chance. */
const WORSE_ERROR = 1.1;
const LEAST_ERROR_MARGIN = 0.02;
/** A sample counts for no more than a hundred, however unlikely its plan was. */
const LEAST_PROPENSITY = 0.01;
/** Standard errors from which a loss is no chance, and the part of the mean time from which it matters. */
const SURE = 2;
const MATTERS = 0.02;

export interface Verdict {
  readonly isBetter: boolean;
  /** For a person. */
  readonly why: string;
}

export interface ReplayInput {
  readonly samples: SampleSet;
  /** The samples from there on are replayed. */
  readonly from: number;
  readonly planCount: number;
  readonly guard: GainGuard;
  /** Of a sample: a candidate that has not been trained on it. */
  readonly candidateFor: (place: number) => LatencyModel;
  /** Must not have been trained on any of them. */
  readonly current: LatencyModel | undefined;
}

/**
 * Whether a candidate would have done at least as well as the current model and as no model at all: by its error, and by the
 * time of the plans that it would have chosen. What was not run is made up for by weighing what was by its inverse propensity.
 */
export function replay(input: ReplayInput): Verdict {
  const { current, candidateFor } = input;
  if (input.samples.count - input.from < LEAST_ERRORS)
    return { isBetter: true, why: 'too few samples to judge it' };
  const candidate = errorOf(input, candidateFor);
  if (candidate === undefined) return { isBetter: false, why: 'it knows too little of what was run' };
  const before = (current && errorOf(input, () => current)) ?? errorOfMeans(input);
  if (candidate > before * WORSE_ERROR + LEAST_ERROR_MARGIN)
    return { isBetter: false, why: `its error is ${candidate.toFixed(2)} instead of ${before.toFixed(2)}` };
  const choices = replayed(input);
  const rivals = {
    ...(current && { 'the current model': choices.current }),
    'the fallback alone': choices.fallback,
  };
  for (const [name, rival] of Object.entries(rivals)) {
    const { meanMs, isSure } = costBeside(input, choices, rival);
    if (isSure) return { isBetter: false, why: `costs ${meanMs.toFixed(2)} ms a query more than ${name}` };
  }
  return { isBetter: true, why: `as good at least, with an error of ${candidate.toFixed(2)}` };
}

/** Root of the mean squared difference of logarithms, over what was predicted; undefined where that is too little. */
function errorOf(
  { samples, from }: ReplayInput,
  modelFor: (place: number) => LatencyModel,
): number | undefined {
  let [squares, count] = [0, 0];
  for (let place = from; place < samples.count; place++) {
    const error = heldOutError(samples, place, modelFor(place));
    if (error === undefined) continue;
    squares += error * error;
    count++;
  }
  return count < LEAST_ERRORS ? undefined : Math.sqrt(squares / count);
}

/** Of knowing nothing but the mean of each plan. */
function errorOfMeans({ samples: { plans, labels }, from, planCount }: ReplayInput): number {
  const ofPlan = (plan: number) => labels.subarray(from).filter((_, at) => plans[from + at] === plan);
  const squares = Array.from({ length: planCount }, (_, plan) => {
    const own = ofPlan(plan);
    const mean = own.reduce((sum, it) => sum + it, 0) / own.length;
    return own.reduce((sum, it) => sum + (it - mean) ** 2, 0);
  });
  return Math.sqrt(squares.reduce((sum, it) => sum + it, 0) / Math.max(labels.length - from, 1));
}

/** Actual against predicted, as logarithms; undefined where the model knows nothing of the plan. */
export function heldOutError(samples: SampleSet, place: number, model: LatencyModel): number | undefined {
  const latency = model[samples.plans[place] ?? 0];
  return latency && (samples.labels[place] ?? 0) - predict(latency.trees, rowOf(samples, place));
}

function rowOf({ features, width }: SampleSet, place: number): Float64Array {
  return features.subarray(place * width, (place + 1) * width);
}

/** By replayed sample. */
interface Choices {
  readonly candidate: Uint8Array;
  readonly current: Uint8Array;
  readonly fallback: Uint8Array;
  /** By the candidate: all plans of one sample after those of another. */
  readonly predictedMs: Float64Array;
}

function replayed({ samples, from, planCount, guard, candidateFor, current }: ReplayInput): Choices {
  const fallback = samples.fallbacks.subarray(from);
  const choices = { candidate: fallback.slice(), current: fallback.slice(), fallback };
  const predictedMs = new Float64Array(fallback.length * planCount);
  const byCurrent = new Float64Array(planCount);
  fallback.forEach((start, at) => {
    const place = from + at;
    const ask = (model: LatencyModel, answer: Float64Array) => {
      predictPlans(model, rowOf(samples, place), samples.allowed[place] ?? 0, answer);
      return bestPlan(answer, start, guard);
    };
    if (current) choices.current[at] = ask(current, byCurrent);
    choices.candidate[at] = ask(
      candidateFor(place),
      predictedMs.subarray(at * planCount, (at + 1) * planCount),
    );
  });
  return { ...choices, predictedMs };
}

/**
 * By how much the candidate's choices cost more. Doubly robust (Dudik, Langford and Li, ICML 2011): the difference that it
 * predicts, mended by the errors of its predictions for what was run, each weighed by its inverse propensity.
 */
function costBeside(
  { samples, from, planCount }: ReplayInput,
  { candidate, predictedMs }: Choices,
  rival: Uint8Array,
): { meanMs: number; isSure: boolean } {
  let [sum, squares, totalMs] = [0, 0, 0];
  candidate.forEach((plan, at) => {
    const other = rival[at] ?? plan;
    const ran = samples.plans[from + at] ?? 0;
    const ms = Math.exp(samples.labels[from + at] ?? 0);
    const predicted = (it: number) => predictedMs[at * planCount + it] ?? NaN;
    const weight = 1 / Math.max(samples.propensities[from + at] ?? 1, LEAST_PROPENSITY);
    const side = Number(ran === plan) - Number(ran === other);
    const cost =
      predicted(plan) - predicted(other) + (side === 0 ? 0 : side * weight * (ms - predicted(ran)));
    totalMs += ms;
    // Where both choose the same, or nothing can be predicted of one, there is nothing to tell.
    if (plan === other || Number.isNaN(cost)) return;
    sum += cost;
    squares += cost * cost;
  });
  const count = candidate.length;
  const meanMs = sum / count;
  const error = Math.sqrt(Math.max(squares / count - meanMs * meanMs, 0) / count);
  return { meanMs, isSure: meanMs > SURE * error && meanMs > (MATTERS * totalMs) / count };
}
