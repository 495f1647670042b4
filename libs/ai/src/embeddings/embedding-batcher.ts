import { type EmbeddingModel } from './embedding-model.js';
import { type KeptEmbedding } from './embedding-memory.js';
import { estimateTokens } from './token-estimate.js';

/** What one call may hold: the protocol's limits. */
export interface PackLimits {
  readonly maxInputs: number;
  readonly maxTokens: number;
}

export const PROTOCOL_LIMITS: PackLimits = { maxInputs: 2_048, maxTokens: 300_000 };

/**
 * Misses of one request come within this time of each other, each after its own look into the cache. Little beside a call of a
 * provider, and too short a time means more calls, never a wrong one.
 */
const QUIET_MS = 10;

interface Waiting {
  readonly text: string;
  readonly resolve: (embedding: KeptEmbedding) => void;
  readonly reject: (error: unknown) => void;
}

/** Puts together what many callers miss at nearly the same time, so that it is one call of the provider. */
export class EmbeddingBatcher {
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly model: EmbeddingModel,
    private readonly limits: PackLimits = PROTOCOL_LIMITS,
  ) {}

  /** @throws what the call of the provider throws */
  embed(text: string): Promise<KeptEmbedding> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      clearTimeout(this.#timer);
      if (this.#waiting.length >= this.limits.maxInputs) this.#flush();
      else this.#timer = setTimeout(() => this.#flush(), QUIET_MS);
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pack of packed(waiting, this.limits)) void this.#call(pack);
  }

  async #call(pack: readonly Waiting[]): Promise<void> {
    try {
      const { vectors, promptTokens } = await this.model.embed(
        pack.map((it) => it.text),
        {},
      );
      for (const [index, { resolve }] of pack.entries()) {
        resolve({ vector: vectors[index] as Float32Array, promptTokens: promptTokens[index] ?? 0 });
      }
    } catch (error) {
      for (const { reject } of pack) reject(error);
    }
  }
}

/** In order, as few as go; an item that is too large for any is alone in its own. */
export function packed<T extends { readonly text: string }>(
  items: readonly T[],
  { maxInputs, maxTokens }: PackLimits,
): T[][] {
  const packs: T[][] = [];
  let pack: T[] = [];
  let tokens = 0;
  for (const item of items) {
    const own = estimateTokens(item.text);
    if (pack.length > 0 && (pack.length >= maxInputs || tokens + own > maxTokens)) {
      packs.push(pack);
      [pack, tokens] = [[], 0];
    }
    pack.push(item);
    tokens += own;
  }
  if (pack.length > 0) packs.push(pack);
  return packs;
}
