import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { type Embedder } from './embedder.js';

const NUMBER_BYTES = 4;

/** Vectors of one embedder, at length 1, side by side in one array: 40,000 arrays would keep the garbage collector busy. */
export class KnownVectors {
  readonly #slots: LRUCache<string, number>;
  readonly #numbers: Float32Array;

  constructor(
    readonly embedder: string,
    private readonly dimensions: number,
    maxBytes: number,
  ) {
    const count = Math.max(1, Math.floor(maxBytes / (dimensions * NUMBER_BYTES)));
    this.#slots = new LRUCache({ max: count });
    this.#numbers = new Float32Array(count * dimensions);
  }

  get size(): number {
    return this.#slots.size;
  }

  get sizeBytes(): number {
    return this.size * this.dimensions * NUMBER_BYTES;
  }

  /** The cosine of a chunk's vector and one of length 1; undefined when the chunk's is not known. */
  cosine(chunkId: string, unit: Float32Array): number | undefined {
    const slot = this.#slots.get(chunkId);
    return slot === undefined ? undefined : this.#cosineAt(slot, unit);
  }

  /** Takes a vector as it is stored in the place of the one that was not asked for longest. @returns its cosine to one of length 1 */
  add(chunkId: string, bytes: Buffer, unit: Float32Array): number {
    // Two queries may have asked for it at once.
    const known = this.#slots.get(chunkId);
    if (known !== undefined) return this.#cosineAt(known, unit);
    const slot = this.size < this.#slots.max ? this.size : (this.#slots.pop() ?? 0);
    this.#slots.set(chunkId, slot);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = slot * this.dimensions;
    let squares = 0;
    for (let at = 0; at < this.dimensions; at++) {
      const value = view.getFloat32(at * NUMBER_BYTES, true);
      this.#numbers[start + at] = value;
      squares += value * value;
    }
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let at = start; at < start + this.dimensions; at++) {
      this.#numbers[at] = (this.#numbers[at] ?? 0) * scale;
    }
    return this.#cosineAt(slot, unit);
  }

  /** In four sums, since each addition waits for the one before it. */
  #cosineAt(slot: number, unit: Float32Array): number {
    const numbers = this.#numbers;
    const start = slot * this.dimensions;
    const inFours = unit.length & ~3;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let at = 0; at < inFours; at += 4) {
      a += (unit[at] ?? 0) * (numbers[start + at] ?? 0);
      b += (unit[at + 1] ?? 0) * (numbers[start + at + 1] ?? 0);
      c += (unit[at + 2] ?? 0) * (numbers[start + at + 2] ?? 0);
      d += (unit[at + 3] ?? 0) * (numbers[start + at + 3] ?? 0);
    }
    for (let at = inFours; at < unit.length; at++) a += (unit[at] ?? 0) * (numbers[start + at] ?? 0);
    return Math.max(-1, Math.min(1, a + b + c + d));
  }
}

/**
 * Embeddings that were compared lately. A chunk's embedding never changes while it has its id, so nothing here is ever out of date:
 * which chunks there are is asked of PostgreSQL, or of codes of the present version.
 */
@Injectable()
export class VectorCache {
  #known: KnownVectors | undefined;

  constructor(
    @Inject(RETRIEVAL_OPTIONS) private readonly options: Pick<RetrievalOptions, 'maxVectorBytes'>,
  ) {}

  /** How many, and their bytes. */
  get figures(): { readonly vectors: number; readonly sizeBytes: number } {
    return { vectors: this.#known?.size ?? 0, sizeBytes: this.#known?.sizeBytes ?? 0 };
  }

  /** The vectors of one embedder; those of another one go. */
  of({ id, dimensions }: Pick<Embedder, 'id' | 'dimensions'>): KnownVectors {
    if (this.#known?.embedder === id) return this.#known;
    return (this.#known = new KnownVectors(id, dimensions, this.options.maxVectorBytes));
  }
}

/** A copy of length 1. Zero stays zero. */
export function unitOf(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  return vector.map((value) => value * scale);
}
