import { seededRandom } from '../../harness/random.ts';
import type { Chunks } from './chunks.ts';
import { normal } from './draw.ts';
import { CODE_BYTES, DIMENSIONS } from './shape.ts';
import { codeOf } from './sign-codes.ts';

/** So many chunks have random numbers of their own: threads make them in any order. */
export const VECTORS_AT_ONCE = 1_000;

/** Which vectors to make. */
export interface VectorTask {
  readonly kind: 'vectors';
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** Makes vectors near the centres of their clusters, and the codes that the library gives them. */
export function fillVectors(chunks: Chunks, { seed, from, to }: VectorTask): void {
  const random = seededRandom(seed * 1_000_003 + from);
  for (let place = from; place < to; place++) {
    const cluster = chunks.cluster[place] ?? 0;
    const centre = chunks.centres.subarray(cluster * DIMENSIONS, (cluster + 1) * DIMENSIONS);
    const vector = near(centre, chunks.noises[cluster] ?? 1, random);
    chunks.vectors.set(vector, place * DIMENSIONS);
    chunks.codes.set(codeOf(vector), place * CODE_BYTES);
  }
}

/** A vector of length 1 that strays from another one. Two that stray from it by 1 have a cosine of 1/2. */
export function near(centre: Float32Array, noise: number, random: () => number): Float32Array {
  const scale = noise * Math.sqrt(dot(centre, centre) / centre.length);
  const vector = centre.map((it) => it + scale * normal(random));
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((it) => it / length);
}

export function vectorAt({ vectors }: Chunks, place: number): Float32Array {
  return vectors.subarray(place * DIMENSIONS, (place + 1) * DIMENSIONS);
}

/** In doubles, as the library compares. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
