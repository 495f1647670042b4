import { Cacheable } from '@peregrine/cache';
import { AiKeyError } from './ai.errors.js';
import { AI_CACHE_NAMESPACES } from './ai.options.js';
import { type AnalysisKeyParts, CacheKeyGenerator } from './keys/cache-key-generator.js';
import { AI_TTL_MS, type AiResultKind, MAX_CACHED_TEMPERATURE } from './keys/ttl-policies.js';

/** What the first argument of a decorated method must have. */
export interface AiCall {
  /** Whose result it is: nothing is shared between tenants. */
  readonly tenant: string;
  /** Of the kind `chat`. */
  readonly temperature?: unknown;
}

const generator = new CacheKeyGenerator({ remembered: 0 });

/**
 * Keeps what a method returns that calls a model, by the rules of its kind: key, life, one run in the cluster. The method takes one
 * object, plain data with a `tenant`; of the kind `analysis` also `code`, `language`, `rules` and `model`. With the kind `chat` a
 * `temperature` above 0.3, or none, goes past the cache. Errors are never kept.
 */
export function CachedAiCall(kind: AiResultKind) {
  return <M extends (call: never) => Promise<unknown>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    const method = `${target.constructor.name}.${String(name)}`;
    Cacheable({
      namespace: AI_CACHE_NAMESPACES.results,
      ttlMs: AI_TTL_MS[kind],
      singleFlight: 'cluster',
      condition: (call: AiCall) => kind !== 'chat' || isCold(call),
      key: (call: AiCall) => keyOf(kind, method, call),
    })(target, name, descriptor as unknown as TypedPropertyDescriptor<(call: AiCall) => Promise<unknown>>);
  };
}

/** @throws {AiKeyError} */
function keyOf(kind: AiResultKind, method: string, call: AiCall): string {
  if (typeof call?.tenant !== 'string' || call.tenant === '') throw new AiKeyError('tenant', 'missing');
  return kind === 'analysis'
    ? generator.analysis({ ...(call as unknown as AnalysisKeyParts), method })
    : generator.call(kind, call.tenant, { method, call });
}

function isCold({ temperature }: AiCall): boolean {
  return typeof temperature === 'number' && temperature <= MAX_CACHED_TEMPERATURE;
}
