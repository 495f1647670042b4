import { AiProviderAnswerError } from '../ai.errors.js';
import { type ProviderClient } from '../client/provider-client.js';
import { type Spending } from '../usage/spending.js';
import { plausibleUsage, type StatedUsage } from '../usage/plausible-usage.js';
import { type EmbeddedTexts, type EmbeddingModel } from './embedding-model.js';
import { estimateTokens } from './token-estimate.js';

const FLOAT_BYTES = 4;

interface EmbeddingList {
  readonly data?: readonly { readonly index?: unknown; readonly embedding?: unknown }[];
  readonly usage?: StatedUsage;
}

/**
 * Embeddings of a provider. Base64 is asked for, a third of the bytes; a server that does not know it answers numbers, and both are
 * taken. The official client's own decoding would make of the latter vectors of a wrong length, silently; here a length that is not
 * the configured one is an error.
 */
export class ProviderEmbeddingModel implements EmbeddingModel {
  readonly isLocal = false;
  readonly id: string;

  constructor(
    private readonly client: ProviderClient,
    private readonly spending: Spending,
    readonly name: string,
    readonly dimensions: number,
  ) {
    this.id = `${client.options.baseUrl} ${name} ${dimensions}`;
  }

  async embed(texts: readonly string[], { signal }: { signal?: AbortSignal }): Promise<EmbeddedTexts> {
    const estimates = texts.map(estimateTokens);
    const promptTokens = estimates.reduce((sum, it) => sum + it, 0);
    const estimate = { promptTokens, cachedPromptTokens: 0, completionTokens: 0 };
    const { result } = await this.spending.spend(this.name, estimate, async () => {
      const list = await this.#ask(texts, signal);
      const vectors = this.#inOrder(list, texts.length);
      const usage = plausibleUsage(list.usage, estimate);
      return { result: { vectors, promptTokens: split(usage.promptTokens, estimates) }, usage };
    });
    return result;
  }

  async #ask(input: readonly string[], signal?: AbortSignal): Promise<EmbeddingList> {
    const body = { model: this.name, input, encoding_format: 'base64', ...this.#dimensionsAsked() };
    const response = await this.client.post('/embeddings', body, signal);
    try {
      return (await response.json()) as EmbeddingList;
    } catch (error) {
      throw new AiProviderAnswerError('it is no JSON, or broke off', { cause: error });
    }
  }

  /** Only the models from `text-embedding-3` on take it. */
  #dimensionsAsked() {
    return this.name.includes('text-embedding-3') ? { dimensions: this.dimensions } : {};
  }

  #inOrder({ data }: EmbeddingList, count: number): Float32Array[] {
    if (!Array.isArray(data) || data.length !== count) {
      throw new AiProviderAnswerError(`${count} embeddings were asked for, ${data?.length ?? 'none'} came`);
    }
    const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
    for (const { index, embedding } of data as NonNullable<EmbeddingList['data']>) {
      if (!Number.isInteger(index) || !(Number(index) in vectors) || vectors[Number(index)]) {
        throw new AiProviderAnswerError(`the index ${String(index)} came twice or is none`);
      }
      vectors[Number(index)] = this.#vectorOf(embedding);
    }
    return vectors as Float32Array[];
  }

  #vectorOf(embedding: unknown): Float32Array {
    const vector = decoded(embedding);
    if (vector?.length !== this.dimensions) {
      const came = vector ? `${vector.length} numbers` : 'no vector';
      throw new AiProviderAnswerError(`${came} instead of ${this.dimensions}; check AI_EMBEDDING_DIMENSIONS`);
    }
    if (!vector.every(Number.isFinite)) throw new AiProviderAnswerError('a vector holds NaN or infinity');
    return vector;
  }
}

/** Numbers, or base64 of little-endian 32-bit floats. */
function decoded(embedding: unknown): Float32Array | undefined {
  if (Array.isArray(embedding)) {
    return embedding.every((it) => typeof it === 'number') ? Float32Array.from(embedding) : undefined;
  }
  if (typeof embedding !== 'string') return undefined;
  const bytes = Buffer.from(embedding, 'base64');
  if (bytes.length % FLOAT_BYTES !== 0) return undefined;
  return Float32Array.from({ length: bytes.length / FLOAT_BYTES }, (_, it) =>
    bytes.readFloatLE(it * FLOAT_BYTES),
  );
}

/** Parts in proportion to the estimates, whole, and together exactly the total. */
export function split(total: number, estimates: readonly number[]): number[] {
  const sum = estimates.reduce((one, it) => one + it, 0);
  let given = 0;
  let seen = 0;
  return estimates.map((it) => {
    seen += it;
    const upTo = sum === 0 ? 0 : Math.round((total * seen) / sum);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
