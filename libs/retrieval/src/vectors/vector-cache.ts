import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';

/** Beside the numbers: the id, the entry, the object. */
const ENTRY_BYTES = 250;

/**
 * Embeddings that were compared lately, at length 1. A chunk's embedding never changes while it has its id, so nothing here is ever out
 * of date: which chunks there are is asked of PostgreSQL, or of codes of the present version.
 */
@Injectable()
export class VectorCache {
  readonly #vectors: LRUCache<string, Float32Array>;
  #embedder: string | undefined;

  constructor(@Inject(RETRIEVAL_OPTIONS) { maxVectorBytes }: Pick<RetrievalOptions, 'maxVectorBytes'>) {
    this.#vectors = new LRUCache({
      maxSize: maxVectorBytes,
      sizeCalculation: (it) => it.byteLength + ENTRY_BYTES,
    });
  }

  /** Bytes in use. */
  get sizeBytes(): number {
    return this.#vectors.calculatedSize;
  }

  /** The vectors of one embedder; those of another one go. */
  of(embedder: string): Pick<LRUCache<string, Float32Array>, 'get' | 'set'> {
    if (this.#embedder !== embedder) this.#vectors.clear();
    this.#embedder = embedder;
    return this.#vectors;
  }
}

/** A copy of length 1. Zero stays zero. */
export function normalised(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  return vector.map((value) => value * scale);
}

/** The cosine of two vectors of length 1, -1 to 1. */
export function cosineOfUnits(a: Float32Array, b: Float32Array): number {
  let product = 0;
  for (let at = 0; at < a.length; at++) product += (a[at] ?? 0) * (b[at] ?? 0);
  return Math.max(-1, Math.min(1, product));
}
