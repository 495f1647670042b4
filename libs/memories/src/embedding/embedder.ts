import { InvalidEmbeddingError } from '../memories.errors.js';

/**
 * Turns texts into vectors. Whoever provides it caches: the same text is asked for again and again.
 * A change of the model is a change of `id`; vectors of different ids are never compared.
 */
export interface Embedder {
  readonly id: string;
  /** Length of its vectors. */
  readonly dimensions: number;
  /** In the order of the texts, none of which is empty. */
  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]>;
}

export interface EmbedOptions {
  /** Whose texts they are: nothing is shared between workspaces. */
  readonly workspaceId: string;
  readonly signal?: AbortSignal;
}

/** The embedder of the process. */
export const MEMORY_EMBEDDER = Symbol('@peregrine/memories:embedder');

/**
 * The embeddings of `texts`, each proven to be one.
 *
 * @throws {InvalidEmbeddingError} for a missing vector, one of another length, or one that holds NaN or infinity
 */
export async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<readonly Float32Array[]> {
  const vectors = await embedder.embed(texts, options);
  if (vectors.length !== texts.length) {
    throw new InvalidEmbeddingError(embedder.id, `${vectors.length} vectors for ${texts.length} texts`);
  }
  for (const vector of vectors) assertEmbedding(embedder, vector);
  return vectors;
}

function assertEmbedding({ id, dimensions }: Embedder, vector: Float32Array): void {
  if (vector.length !== dimensions) {
    throw new InvalidEmbeddingError(id, `${vector.length} dimensions where ${dimensions} are expected`);
  }
  if (!vector.every(Number.isFinite)) throw new InvalidEmbeddingError(id, 'it holds NaN or infinity');
}
