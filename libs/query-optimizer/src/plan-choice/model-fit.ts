import { joinTrees, predict, type Trees } from './boosted-trees.js';
import { FeatureBins } from './feature-bins.js';
import { domainOf, joinDomains } from './feature-domain.js';
import { type LatencyModel, type PlanLatency } from './latency-model.js';
import { type SampleSet } from './sample-log.js';
import { seededRandom } from './seeded-random.js';
import { type Growth, growTrees, sumOf } from './tree-growth.js';

const MEAN: Growth = { trees: 120, rate: 0.1, featureShare: 1 };
/** Bootstrap Thompson heads (Osband and Van Roy, 2015). */
const HEAD: Growth = { trees: 60, rate: 0.15, featureShare: 0.5 };
export const HEADS = 5;
/** With fewer samples, and no prior, nothing is said of a plan. */
export const LEAST_SAMPLES = 20;
/** That the plan differs from its prior by as much as all of them do counts for so many samples. */
const OFFSET_SAMPLES = 3;
/** Until held-out samples say it. */
const FIRST_SPREAD = 0.5;

/** Of one plan, in the shape that trees are grown from. */
interface PlanRows {
  readonly places: Uint32Array;
  readonly rows: readonly Float64Array[];
  readonly columns: Uint8Array;
  readonly labels: Float64Array;
  readonly weights: Float64Array;
}

export interface FitOptions {
  /** Samples after which a sample counts half. */
  readonly halfLife: number;
  readonly seed: number;
}

/** Samples made ready for several fits: binned once, weighted by age. */
export class ModelFit {
  readonly #samples: SampleSet;
  readonly #prior: LatencyModel | undefined;
  readonly #halfLife: number;
  readonly #random: () => number;
  readonly #bins: FeatureBins;
  readonly #plans: readonly PlanRows[];

  constructor(
    samples: SampleSet,
    planCount: number,
    prior: LatencyModel | undefined,
    { halfLife, seed }: FitOptions,
  ) {
    this.#samples = samples;
    this.#prior = prior;
    this.#halfLife = halfLife;
    this.#random = seededRandom(seed);
    this.#bins = new FeatureBins(samples.features, samples.width);
    this.#plans = Array.from({ length: planCount }, (_, plan) => this.#rowsOf(plan));
  }

  /** The model of all samples, with heads. */
  whole(): LatencyModel {
    return this.#fit(
      ({ weights }) => weights,
      (rows, prior, offset) =>
        Array.from({ length: HEADS }, (_, head) => {
          // Exponential weights: the Bayesian bootstrap (Rubin, 1981).
          const drawn = rows.weights.map((it) => it * -Math.log(1 - this.#random()));
          return this.#trees(rows, drawn, prior?.heads[head] ?? prior?.trees, offset, HEAD);
        }),
    );
  }

  /** Without heads, and without the samples for which `isHeldOut` is true, so that it can be judged by them. */
  without(isHeldOut: (place: number) => boolean): LatencyModel {
    return this.#fit(
      ({ places, weights }) => weights.map((it, at) => (isHeldOut(places[at] ?? 0) ? 0 : it)),
      () => [],
    );
  }

  #fit(
    weightsOf: (rows: PlanRows) => Float64Array,
    headsOf: (rows: PlanRows, prior: PlanLatency | undefined, offset: number) => readonly Trees[],
  ): LatencyModel {
    const weights = this.#plans.map(weightsOf);
    const offset = this.#offset(weights);
    return this.#plans.map((rows, plan) => {
      const prior = this.#prior?.[plan];
      const own = weights[plan] ?? rows.weights;
      const places = rows.places.filter((_, at) => (own[at] ?? 0) > 0);
      if (!prior && places.length < LEAST_SAMPLES) return undefined;
      return {
        trees: this.#trees(rows, own, prior?.trees, offset, MEAN),
        heads: headsOf(rows, prior, offset),
        spread: prior?.spread ?? FIRST_SPREAD,
        samples: places.length,
        domain: this.#domain(places, prior),
      };
    });
  }

  /**
   * Beside the prior's trees, trees for what those leave over: the prior counts where nothing has been measured, and the less, the more
   * there is. (To discount it everywhere would be to forget what it knows of queries for which the plan is never chosen.)
   */
  #trees(
    { rows, columns, labels }: PlanRows,
    weights: Float64Array,
    prior: Trees | undefined,
    offset: number,
    growth: Growth,
  ): Trees {
    const grown = (targets: Float64Array, base: number) =>
      growTrees({ bins: this.#bins, columns, targets, weights }, base, growth, this.#random);
    if (!prior) return grown(labels, meanOf(labels, weights, 0, 0));
    const left = Float64Array.from(rows, (row, at) => (labels[at] ?? 0) - predict(prior, row));
    return joinTrees(prior, grown(left, meanOf(left, weights, offset, OFFSET_SAMPLES)));
  }

  /** How much slower this machine and its data are than those of the prior, as a logarithm: what plans without samples go by. */
  #offset(weights: readonly Float64Array[]): number {
    let [sum, total] = [0, OFFSET_SAMPLES];
    this.#plans.forEach(({ rows, labels }, plan) => {
      const prior = this.#prior?.[plan]?.trees;
      const own = weights[plan];
      if (!prior || !own) return;
      rows.forEach((row, at) => (sum += (own[at] ?? 0) * ((labels[at] ?? 0) - predict(prior, row))));
      total += sumOf(own);
    });
    return sum / total;
  }

  #domain(places: Uint32Array, prior: PlanLatency | undefined): PlanLatency['domain'] {
    if (prior && places.length === 0) return prior.domain;
    const domain = domainOf(this.#samples.features, this.#samples.width, places);
    return prior ? joinDomains(domain, prior.domain) : domain;
  }

  #rowsOf(plan: number): PlanRows {
    const { count, width, features, plans, labels, trusts } = this.#samples;
    const places = Uint32Array.from(Array(count).keys()).filter((place) => plans[place] === plan);
    const each = (of: (place: number) => number) => Float64Array.from(places, of);
    return {
      places,
      rows: Array.from(places, (place) => features.subarray(place * width, (place + 1) * width)),
      columns: this.#bins.binned(features, places),
      labels: each((place) => labels[place] ?? 0),
      weights: each((place) => (trusts[place] ?? 0) * 0.5 ** ((count - place) / this.#halfLife)),
    };
  }
}

/** The weighted mean, with `expected` in it as so many samples. */
function meanOf(values: Float64Array, weights: Float64Array, expected: number, samples: number): number {
  const sum = values.reduce((all, it, at) => all + it * (weights[at] ?? 0), expected * samples);
  return sum / Math.max(sumOf(weights) + samples, Number.MIN_VALUE);
}
