/** What no certainty goes beyond: codes that need more are of no use. */
export const MAX_CERTAINTY = 6;
/** What a certified answer under its floor adds, whatever else is known. */
const RAISE = 0.25;

/** What one query, answered again exactly, says. */
export interface CalibrationSample {
  /** The certainty that it would have needed. */
  readonly neededZ: number;
  /** `query`: it was asked. `chunk`: it was made of stored chunks, before there were queries. */
  readonly source: 'query' | 'chunk';
  /** What the certainty was raised to, since the answer was certified and under its floor; null when it was not. */
  readonly raisedTo: number | null;
}

export interface CalibrationRule {
  /** While there are too few samples. */
  readonly certainty: number;
  readonly minCertainty: number;
  /** Share of the queries that may need more. */
  readonly missRate: number;
}

export interface Calibration {
  /** The certainty of answers with a floor of up to 0.95. */
  readonly z: number;
  /** Where it comes from: the option, samples of chunks, samples of queries, or an answer that failed. */
  readonly from: 'option' | 'chunk' | 'query' | 'failure';
  readonly samples: number;
  readonly failures: number;
}

/**
 * The conformal quantile: of n + 1 exchangeable values the one that comes next is at most the ceil((n + 1)(1 - missRate))-th smallest of
 * the n others with probability 1 - missRate at least (Vovk, Gammerman and Shafer 2005; Lei et al. 2018, arxiv.org/abs/1604.04173).
 *
 * @returns undefined while n is too small for that
 */
export function conformalQuantile(values: readonly number[], missRate: number): number | undefined {
  const rank = values.length + 1 - Math.floor((values.length + 1) * missRate);
  return values.toSorted((a, b) => a - b)[rank - 1];
}

/** How many samples {@link conformalQuantile} needs. */
export function enoughSamples(missRate: number): number {
  return Math.ceil(1 / missRate) - 1;
}

/**
 * The certainty of an embedder. It is the quantile of what its samples needed, those of queries alone as soon as there are enough; never
 * less than what an answer needed that failed, nor, until as many samples as a quantile takes have come after it, than what was
 * raised to then.
 *
 * @param samples oldest first
 */
export function calibrate(samples: readonly CalibrationSample[], rule: CalibrationRule): Calibration {
  const needs = (some: readonly CalibrationSample[]) =>
    conformalQuantile(
      some.map((it) => it.neededZ),
      rule.missRate,
    );
  const byQueries = needs(samples.filter((it) => it.source === 'query'));
  const byAll = byQueries ?? needs(samples);
  const quantile = Math.max(byAll ?? rule.certainty, rule.minCertainty);
  const firstRecent = samples.length - enoughSamples(rule.missRate);
  const failures = samples.flatMap(({ raisedTo, neededZ: needed }, at) =>
    raisedTo === null ? [] : [at >= firstRecent ? Math.max(raisedTo, needed) : needed],
  );
  const z = Math.min(MAX_CERTAINTY, Math.max(quantile, ...failures));
  const byQuantile = byQueries === undefined ? (byAll === undefined ? 'option' : 'chunk') : 'query';
  const from = z > quantile ? 'failure' : byQuantile;
  return { z, from, samples: samples.length, failures: failures.length };
}

/** What a certified answer under its floor raises a certainty to. */
export function raised(certainty: number): number {
  return Math.min(MAX_CERTAINTY, certainty + RAISE);
}
