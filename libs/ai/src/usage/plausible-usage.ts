import { type TokenUsage } from './usage-event.js';

/** By how much a provider may count more than we estimate at most: instructions of its own, tools, pictures. */
const MOST_TIMES = 20;
const MOST_MORE = 5_000;

/** Tokens of a call, with a mark when the provider's word could not be taken. */
export interface PlausibleUsage extends TokenUsage {
  readonly suspect: boolean;
}

/** What the protocol says of usage, as it may come: every field may be missing or wrong. */
export interface StatedUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
}

/**
 * Takes the provider's count where it can be true: a whole number, not negative, and not far beyond our own estimate. Else the
 * estimate stands in. More cached tokens than there were in the prompt are none.
 *
 * @param estimate of the safe side: what the texts have at most, nearly
 */
export function plausibleUsage(
  stated: StatedUsage | null | undefined,
  estimate: { readonly promptTokens: number; readonly completionTokens: number },
): PlausibleUsage {
  const prompt = plausible(stated?.prompt_tokens, estimate.promptTokens);
  // Reasoning is billed and not seen: there is no bound for it but a fixed one.
  const completion = plausible(
    stated?.completion_tokens ?? 0,
    estimate.completionTokens + HIDDEN_REASONING_TOKENS,
  );
  const promptTokens = prompt ?? estimate.promptTokens;
  const cached = plausible(stated?.prompt_tokens_details?.cached_tokens ?? 0, promptTokens);
  const isCachedTrue = cached !== undefined && cached <= promptTokens;
  return {
    promptTokens,
    cachedPromptTokens: isCachedTrue ? cached : 0,
    completionTokens: completion ?? estimate.completionTokens,
    suspect: prompt === undefined || completion === undefined || !isCachedTrue,
  };
}

const HIDDEN_REASONING_TOKENS = 100_000;

function plausible(stated: unknown, estimate: number): number | undefined {
  if (typeof stated !== 'number' || !Number.isSafeInteger(stated) || stated < 0) return undefined;
  return stated <= MOST_TIMES * estimate + MOST_MORE ? stated : undefined;
}
