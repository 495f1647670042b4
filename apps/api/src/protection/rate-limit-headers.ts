import { type RateDecision, type RatePolicy } from '@peregrine/runtime';

/**
 * `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10: the quota, and the seconds in which it flows in anew.
 */
export function rateLimitPolicy({ name, burst, ratePerSecond }: RatePolicy): string {
  return `"${name}";q=${burst};w=${Math.ceil(burst / ratePerSecond)}`;
}

/** `RateLimit` of the same draft: what is left, and the seconds until that changes or all of it is there again. */
export function rateLimitState({ policy, allowed, remaining, retryAfterMs }: RateDecision): string {
  const missing = policy.burst - remaining;
  const seconds = allowed ? Math.ceil(missing / policy.ratePerSecond) : retryAfterSeconds(retryAfterMs);
  return `"${policy.name}";r=${allowed ? remaining : 0};t=${seconds}`;
}

/** Whole seconds, at least one. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}
