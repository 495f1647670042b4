import { type AiResultKind } from '../keys/ttl-policies.js';

/**
 * How a result came: `paid` by a call of the provider (or, of a local model, by work here), `hit` from the cache, `coalesced` from
 * the call of somebody else who asked for the same at that time, `semantic` from the cache too, though it was asked for something that
 * only says nearly the same.
 */
export type UsageOutcome = 'paid' | 'hit' | 'coalesced' | 'semantic';

/** Tokens as the protocol counts them. Of a hit: what they would have been. */
export interface TokenUsage {
  /** Those from the provider's own cache included. */
  readonly promptTokens: number;
  readonly cachedPromptTokens: number;
  /** Reasoning included. */
  readonly completionTokens: number;
}

/** Results of one kind that came the same way. */
export interface UsageEvent extends TokenUsage {
  readonly kind: AiResultKind;
  readonly model: string;
  readonly outcome: UsageOutcome;
  /** How many; of embeddings one an input. */
  readonly results: number;
  /** The provider's counts could not be true, and estimates stand in. */
  readonly suspect?: boolean;
}

/** Whoever keeps count. */
export interface UsageSink {
  record(event: UsageEvent): void;
}

export const NO_TOKENS: TokenUsage = Object.freeze({
  promptTokens: 0,
  cachedPromptTokens: 0,
  completionTokens: 0,
});
