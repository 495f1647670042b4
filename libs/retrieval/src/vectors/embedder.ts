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
 * The embeddings of `texts`, each proven to be one. Models that count words give zero for a text without any: such texts share one
 * direction, so that they can be stored and asked for like others.
 *
 * @throws {InvalidVectorError}
 */
export async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<readonly Float32Array[]> {
  const vectors = await embedder.embed(texts, options);
  if (vectors.length !== texts.length) {
    throw new InvalidVectorError(`${embedder.id} gave ${vectors.length} vectors for ${texts.length} texts`);
  }
  const directed = vectors.map((it) => (isZero(it) ? sharedDirection(it.length) : it));
  for (const it of directed) assertDirection(it, embedder);
  return directed;
}

function isZero(vector: ArrayLike<number>): boolean {
  return vector.length > 0 && Array.from(vector).every((it) => it === 0);
}

/** Of unit length. */
function sharedDirection(dimensions: number): Float32Array {
  return new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions));
}

/** @throws {InvalidVectorError} for another length, NaN, infinity, and for zero, which is near to nothing */
export function assertDirection(vector: ArrayLike<number>, { id, dimensions }: Embedder): void {
  if (vector.length !== dimensions) {
    throw new InvalidVectorError(`it has ${vector.length} dimensions, and ${id} has ${dimensions}`);
  }
  if (!Array.from(vector).every(Number.isFinite)) throw new InvalidVectorError('it holds NaN or infinity');
  if (isZero(vector)) throw new InvalidVectorError('all of it is zero, so that it has no direction');
}
