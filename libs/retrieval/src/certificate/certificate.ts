import { CODE_BITS, distanceDeviation, expectedDistance } from '@peregrine/ai/vectors';

/** The floor up to which `certainty` suffices, and the one up to which one deviation more does; above it all is compared. */
export const CERTAIN_FLOOR = 0.95;
const STRICT_FLOOR = 0.998;

/** Beyond what the arithmetic of a distance loses. */
const ROUNDING = 1e-9;

/**
 * How many standard deviations an answer must be certain by to keep this floor; `Infinity`: compare everything.
 *
 * The expected recall of an answer is at least the normal distribution function of its z: 0.977 at 2, 0.9987 at 3.
 * The default `certainty` is above what the mean needs: a single answer shall keep the floor, too.
 */
export function certaintyFor(recallFloor: number, certainty: number): number {
  if (recallFloor <= CERTAIN_FLOOR) return certainty;
  return recallFloor <= STRICT_FLOOR ? certainty + 1 : Infinity;
}

/**
 * The Hamming distance up to which every code must be compared, so that a chunk of at least this cosine is missed only
 * when its code strays by more than `z` deviations. 384 (everything) for a cosine of -1 or less, or an infinite `z`.
 */
export function cutOff(cosine: number, z: number): number {
  if (cosine <= -1 || z === Infinity) return CODE_BITS;
  const expected = expectedDistance(cosine);
  return Math.min(CODE_BITS, Math.ceil(expected + z * distanceDeviation(expected)));
}

/** By how many deviations the code of a chunk of this cosine strays when it lies farther than `distance`. */
export function certaintyOf(distance: number, cosine: number): number {
  if (distance >= CODE_BITS) return Infinity;
  const expected = expectedDistance(cosine);
  const deviation = distanceDeviation(expected);
  // A cosine of 1 has a code of distance 0, always.
  if (deviation === 0) return distance >= expected ? Infinity : -Infinity;
  return (distance - expected) / deviation;
}

/**
 * The least certainty that reaches a code: {@link cutOff} of this cosine and of any `z` from it on is `distance` or farther. 0 at least;
 * `Infinity` when no finite one does.
 */
export function certaintyToReach(distance: number, cosine: number): number {
  if (cosine <= -1) return 0;
  const expected = expectedDistance(cosine);
  // The cut-off is rounded up: it reaches a code that lies less than one bit farther.
  const gap = distance - 1 - expected;
  if (gap < 0) return 0;
  const deviation = distanceDeviation(expected);
  return deviation === 0 ? Infinity : gap / deviation + ROUNDING;
}
