import { InvalidVectorError } from '../retrieval.errors.js';

/**
 * Turns texts into vectors. Whoever provides it caches. A change of the model is a change of `id`; vectors of different ids are
 * never compared.
 */
export interface Embedder {
  readonly id: string;
  /** Length of its vectors. */
  readonly dimensions: number;
  /** In the order of the texts. */
  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]>;
}

export interface EmbedOptions {
  /** Whose texts they are: nothing is shared between workspaces. */
  readonly workspaceId: string;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** The embedder of the process. */
export const RETRIEVAL_EMBEDDER = Symbol('@peregrine/retrieval:embedder');

/**
 * The embeddings of `texts`, each with a direction: those without a word share one, so that they can be asked for like others.
 *
 * @throws {InvalidVectorError}
 */
export async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<readonly Float32Array[]> {
  const vectors = await embedVectors(embedder, texts, options);
  return vectors.map((it) => (hasDirection(it) ? it : sharedDirection(embedder)));
}

/** Of unit length. */
function sharedDirection({ dimensions }: Embedder): Float32Array {
  return new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions));
}

/**
 * The embeddings of `texts`; one of them may be zero, as that of a text without a word.
 *
 * @throws {InvalidVectorError}
 */
export async function embedVectors(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<readonly Float32Array[]> {
  const vectors = await embedder.embed(texts, options);
  if (vectors.length !== texts.length) {
    throw new InvalidVectorError(`${embedder.id} gave ${vectors.length} vectors for ${texts.length} texts`);
  }
  for (const vector of vectors) assertVector(vector, embedder);
  return vectors;
}

/** @throws {InvalidVectorError} for another length, NaN, infinity, and for zero, which is near to nothing */
export function assertDirection(vector: ArrayLike<number>, embedder: Embedder): void {
  assertVector(vector, embedder);
  if (!hasDirection(vector)) {
    throw new InvalidVectorError('all of it is zero, so that it has no direction');
  }
}

export function hasDirection(vector: ArrayLike<number>): boolean {
  return Array.from(vector).some((it) => it !== 0);
}

function assertVector(vector: ArrayLike<number>, { id, dimensions }: Embedder): void {
  if (vector.length !== dimensions) {
    throw new InvalidVectorError(`it has ${vector.length} dimensions, and ${id} has ${dimensions}`);
  }
  if (!Array.from(vector).every(Number.isFinite)) throw new InvalidVectorError('it holds NaN or infinity');
}
