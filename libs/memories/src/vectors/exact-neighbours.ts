import { cosineToBytes } from '@peregrine/ai/vectors';
import { type NearestOptions, type Neighbour } from './vector-index.js';

/** A candidate with its stored embedding. */
export interface StoredCandidate {
  readonly memoryId: string;
  readonly distance: number;
  readonly embedding: Buffer;
}

/** The nearest of some candidates by their embeddings themselves. */
export function exactNeighbours(
  candidates: readonly StoredCandidate[],
  { vector, limit, minCosine = -1 }: NearestOptions,
): Neighbour[] {
  return candidates
    .map(({ memoryId, embedding }) => ({ memoryId, cosine: cosineToBytes(vector, embedding) }))
    .filter((it) => it.cosine >= minCosine)
    .sort((a, b) => b.cosine - a.cosine || (a.memoryId < b.memoryId ? -1 : 1))
    .slice(0, limit);
}
