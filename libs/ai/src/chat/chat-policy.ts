import { AI_TTL_MS, MAX_CACHED_TEMPERATURE } from '../keys/ttl-policies.js';
import { type ChatRequest } from './chat-request.js';

/** Whether an answer may be kept, and if not, why. */
export type ChatPolicy = { readonly ttlMs: number } | { readonly bypass: string };

/**
 * An answer is kept only when another one to the same request would be meant to be the same. A temperature that is absent is 1 by the
 * protocol; a low `top_p` does not make up for it.
 */
export function chatPolicyOf(request: ChatRequest): ChatPolicy {
  const { temperature, n } = request;
  if (temperature === undefined || temperature === null)
    return { bypass: 'temperature is absent, which means 1' };
  if (temperature > MAX_CACHED_TEMPERATURE)
    return { bypass: `temperature is above ${MAX_CACHED_TEMPERATURE}` };
  if ((n ?? 1) > 1) return { bypass: 'several answers were asked for (n)' };
  if (isGiven(request['web_search_options']) || usesServerTools(request['tools'])) {
    return { bypass: 'the provider looks things up that change' };
  }
  if (request['store'] === true) return { bypass: 'the provider is to keep the answer (store)' };
  if (isGiven(request['audio'])) return { bypass: 'the answer has sound' };
  return { ttlMs: AI_TTL_MS.chat };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Tools other than functions of the caller run at the provider. */
function usesServerTools(tools: unknown): boolean {
  const ofCaller = ['function', 'custom'];
  return (
    Array.isArray(tools) &&
    tools.some((it: { type?: unknown } | null) => !ofCaller.includes(String(it?.type)))
  );
}
