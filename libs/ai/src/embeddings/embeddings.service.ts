import { type CacheNamespace } from '@peregrine/cache';
import { AiInputError } from '../ai.errors.js';
import { type CacheKeyGenerator } from '../keys/cache-key-generator.js';
import { AI_TTL_MS } from '../keys/ttl-policies.js';
import { type UsageOutcome, type UsageSink } from '../usage/usage-event.js';
import { EmbeddingBatcher } from './embedding-batcher.js';
import { type EmbeddingMemory, type KeptEmbedding } from './embedding-memory.js';
import { type EmbeddingModel } from './embedding-model.js';

/** Texts of one call at most. */
export const MAX_EMBEDDING_INPUTS = 10_000;
/** Bytes of one text at most, in UTF-8. */
export const MAX_EMBEDDING_INPUT_BYTES = 131_072;

export interface EmbedRequest {
  /** Whose embeddings they are: nothing is shared between tenants. */
  readonly tenant: string;
  /** None of them empty; the same text may come twice. */
  readonly inputs: readonly string[];
  /** Ends the wait of this caller; what others wait for goes on. */
  readonly signal?: AbortSignal;
}

export interface EmbedAnswer {
  readonly model: string;
  readonly dimensions: number;
  /** In the order of the inputs. Shared with other callers: do not change them. */
  readonly vectors: Float32Array[];
  /** What the inputs count, whether they were paid now or before. */
  readonly promptTokens: number;
  /** How many inputs the provider was asked for. */
  readonly paidInputs: number;
}

/** What other libraries need of embeddings. */
export interface Embeddings {
  /** Names the model and all that changes its vectors: goes beside every stored vector. */
  readonly model: string;
  readonly dimensions: number;
  /** @throws {AiInputError} and what the provider's client throws */
  embed(request: EmbedRequest): Promise<EmbedAnswer>;
}

/** Where an embedding lies below memory. */
interface StoredEmbedding {
  readonly vector: Buffer;
  readonly promptTokens: number;
}

interface Found {
  readonly embedding: KeptEmbedding;
  readonly outcome: UsageOutcome;
}

export interface EmbeddingsDependencies {
  readonly source: EmbeddingModel;
  readonly memory: EmbeddingMemory;
  readonly cached: CacheNamespace;
  readonly keys: CacheKeyGenerator;
  readonly usage: UsageSink;
  /** Asked on every call: false goes past all that is kept. */
  readonly enabled: (key: string) => boolean;
}

/**
 * Embeddings, cached one by one: of a call with many inputs only those go to the provider that nobody has asked for, in as few
 * calls as the protocol allows. What is on its way is shared, in this process and in the cluster.
 */
export class EmbeddingsService implements Embeddings {
  readonly #batcher: EmbeddingBatcher;

  constructor(private readonly parts: EmbeddingsDependencies) {
    this.#batcher = new EmbeddingBatcher(parts.source);
  }

  get model(): string {
    return this.parts.source.id;
  }

  /** The model's own name, for callers. */
  get name(): string {
    return this.parts.source.name;
  }

  get dimensions(): number {
    return this.parts.source.dimensions;
  }

  async embed({ tenant, inputs, signal }: EmbedRequest): Promise<EmbedAnswer> {
    assertInputs(inputs);
    const keys = inputs.map((input) => this.parts.keys.embedding({ tenant, model: this.model, input }));
    const texts = new Map(keys.map((key, index) => [key, inputs[index] as string]));
    const found = await this.#find(texts, signal);
    this.#count([...found.values()]);
    const each = keys.map((key) => found.get(key) as Found);
    return {
      model: this.model,
      dimensions: this.dimensions,
      vectors: each.map((it) => it.embedding.vector),
      promptTokens: each.reduce((sum, it) => sum + it.embedding.promptTokens, 0),
      paidInputs: [...found.values()].filter((it) => it.outcome === 'paid').length,
    };
  }

  async #find(texts: ReadonlyMap<string, string>, signal?: AbortSignal): Promise<Map<string, Found>> {
    const { memory, source, enabled } = this.parts;
    const found = new Map<string, Found>();
    const missing: string[] = [];
    for (const key of texts.keys()) {
      const kept = enabled(key) ? memory.get(key) : undefined;
      if (kept) found.set(key, { embedding: kept, outcome: 'hit' });
      else missing.push(key);
    }
    if (missing.length === 0) return found;
    const textOf = (key: string) => texts.get(key) as string;
    const loaded = source.isLocal
      ? await this.#compute(missing, textOf, signal)
      : await this.#load(missing, textOf, signal);
    for (const [key, it] of loaded) {
      found.set(key, it);
      if (enabled(key)) memory.set(key, it.embedding);
    }
    return found;
  }

  /** Cheaper than a look into another tier. */
  async #compute(keys: readonly string[], textOf: (key: string) => string, signal?: AbortSignal) {
    const { vectors } = await this.parts.source.embed(keys.map(textOf), signal ? { signal } : {});
    return keys.map((key, index): [string, Found] => [
      key,
      { embedding: { vector: vectors[index] as Float32Array, promptTokens: 0 }, outcome: 'paid' },
    ]);
  }

  async #load(keys: readonly string[], textOf: (key: string) => string, signal?: AbortSignal) {
    const stored = await this.parts.cached.getMany<StoredEmbedding>(keys);
    return Promise.all(
      keys.map(async (key): Promise<[string, Found]> => {
        const hit = stored.get(key);
        if (hit) return [key, { embedding: fromStored(hit), outcome: 'hit' }];
        return [key, await this.#loadOne(key, textOf(key), signal)];
      }),
    );
  }

  /** One of all that wait for it, in all processes, has the provider asked. */
  async #loadOne(key: string, text: string, signal?: AbortSignal): Promise<Found> {
    let outcome: UsageOutcome = 'coalesced';
    const stored = await this.parts.cached.getOrSet<StoredEmbedding>(
      key,
      async () => {
        outcome = 'paid';
        return toStored(await this.#batcher.embed(text));
      },
      { ttlMs: AI_TTL_MS.embedding, singleFlight: 'cluster', tiers: ['redis'], ...(signal && { signal }) },
    );
    return { embedding: fromStored(stored), outcome };
  }

  #count(found: readonly Found[]): void {
    for (const outcome of ['paid', 'hit', 'coalesced'] as const) {
      const ofOutcome = found.filter((it) => it.outcome === outcome);
      if (ofOutcome.length === 0) continue;
      this.parts.usage.record({
        kind: 'embedding',
        model: this.parts.source.name,
        outcome,
        results: ofOutcome.length,
        promptTokens: ofOutcome.reduce((sum, it) => sum + it.embedding.promptTokens, 0),
        cachedPromptTokens: 0,
        completionTokens: 0,
      });
    }
  }
}

/** @throws {AiInputError} */
function assertInputs(inputs: readonly string[]): void {
  if (inputs.length > MAX_EMBEDDING_INPUTS) {
    throw new AiInputError(
      'input',
      `has ${inputs.length} texts; at most ${MAX_EMBEDDING_INPUTS} go in a call`,
    );
  }
  for (const [index, it] of inputs.entries()) {
    if (it === '') throw new AiInputError(`input[${index}]`, 'is empty; there is no embedding of nothing');
    const bytes = Buffer.byteLength(it);
    if (bytes > MAX_EMBEDDING_INPUT_BYTES) {
      const most = `at most ${MAX_EMBEDDING_INPUT_BYTES} are embedded: cut the text into pieces`;
      throw new AiInputError(`input[${index}]`, `has ${bytes} bytes; ${most}`);
    }
  }
}

function toStored({ vector, promptTokens }: KeptEmbedding): StoredEmbedding {
  return { vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength), promptTokens };
}

function fromStored({ vector, promptTokens }: StoredEmbedding): KeptEmbedding {
  // A copy: the bytes need not lie where a Float32Array may begin.
  const bytes = new Uint8Array(vector.byteLength);
  bytes.set(vector);
  return { vector: new Float32Array(bytes.buffer), promptTokens };
}
