import { MemoryTier, onCacheEvent } from '@peregrine/cache';

/** An embedding as it is kept. */
export interface KeptEmbedding {
  readonly vector: Float32Array;
  /** What it has cost, so that it is known what a hit saves. */
  readonly promptTokens: number;
}

export interface EmbeddingMemoryOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly ttlMs: number;
  /** The namespace of the cache that lies below: when that is cleared, so is this. */
  readonly namespace: string;
}

/** What an entry takes beside its vector and its key: objects, the map, the policy. Bytes. */
const ENTRY_BYTES = 300;

/**
 * Embeddings in this process. An embedding follows from its key alone and cannot be stale, so that no message about single keys
 * is needed; the cache's memory would hand out a copy of each vector, this hands out the vector itself.
 */
export class EmbeddingMemory {
  readonly #tier: MemoryTier<KeptEmbedding>;
  readonly #unsubscribe: () => void;

  constructor({ maxEntries, maxBytes, ttlMs, namespace }: EmbeddingMemoryOptions) {
    this.#tier = new MemoryTier<KeptEmbedding>({
      ...{ maxEntries, maxBytes, ttlMs },
      weigh: ({ vector }, key) => vector.byteLength + key.length + ENTRY_BYTES,
    });
    const whole = ['f', `n:${namespace}`];
    this.#unsubscribe = onCacheEvent('invalidate', ({ scopes }) => {
      if (scopes.some((it) => whole.includes(it))) this.#tier.clear();
    });
  }

  get entries(): number {
    return this.#tier.size;
  }

  get bytes(): number {
    return this.#tier.bytes;
  }

  get(key: string): KeptEmbedding | undefined {
    return this.#tier.get(key);
  }

  set(key: string, embedding: KeptEmbedding): void {
    this.#tier.set(key, embedding);
  }

  close(): void {
    this.#unsubscribe();
    this.#tier.clear();
  }
}
