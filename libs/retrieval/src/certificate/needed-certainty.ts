import { CERTAIN_FLOOR, certaintyFor, certaintyToReach } from './certificate.js';

/** A chunk that the exact answer may hold. */
export interface ExactMember {
  readonly chunkId: string;
  /** What the answer is ordered by: the cosine, and in mode `boost` what the proximity adds. */
  readonly score: number;
  /** The most that a proximity can add in its leg of the search. */
  readonly bonus: number;
  /** Hamming distance of its stored code to the query's. */
  readonly distance: number;
}

/** The exact answer of a query, best first. */
export interface ExactAnswer {
  /** Longer than `limit` where chunks score as the last one does: any of them will do. */
  readonly members: readonly ExactMember[];
  readonly limit: number;
}

/** How many of the exact answer keep a floor. */
export function leastHits({ members, limit }: ExactAnswer, recallFloor: number): number {
  // The product of two decimals may lie a hair above the number that is meant.
  return Math.ceil(recallFloor * Math.min(limit, members.length) - 1e-9);
}

/**
 * The z that this query would have needed for a recall floor: a search that fetches every code up to the cut-off of its worst score at
 * this z, or a higher one, holds enough of the exact answer. Its worst score is at most that of the exact answer, and a worse one is
 * fetched farther; so the exact one decides.
 */
export function neededZ(exact: ExactAnswer, recallFloor: number): number {
  const worst = exact.members[exact.limit - 1]?.score ?? -Infinity;
  const needed = exact.members
    .map(({ distance, bonus }) => certaintyToReach(distance, worst - bonus))
    .sort((a, b) => a - b);
  return needed[leastHits(exact, recallFloor) - 1] ?? 0;
}

/** The `certainty` (the z of floors up to 0.95) by which this query would have kept 0.95, and its own floor when that is stricter. */
export function neededCertainty(exact: ExactAnswer, recallFloor: number): number {
  const more = certaintyFor(recallFloor, 0);
  const strict = Number.isFinite(more) ? neededZ(exact, Math.max(recallFloor, CERTAIN_FLOOR)) - more : 0;
  return Math.max(neededZ(exact, CERTAIN_FLOOR), strict);
}
