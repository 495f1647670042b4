import { type FastifyReply } from 'fastify';
import { type RateDecision, type RatePolicy } from '../rates/rate-policy.js';

/** Whole seconds, at least one. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

/** The two headers of draft-ietf-httpapi-ratelimit-headers-10 for the answers under one policy. */
export class RateLimitHeaders {
  readonly #quota: string;
  readonly #stateBegin: string;

  constructor(private readonly policy: RatePolicy) {
    const { name, burst, ratePerSecond } = policy;
    this.#quota = `"${name}";q=${burst};w=${Math.ceil(burst / ratePerSecond)}`;
    this.#stateBegin = `"${name}";r=`;
  }

  /**
   * `RateLimit-Policy`: the quota, and the seconds in which it flows in anew. `RateLimit`: what is left, and the seconds
   * until that changes or all of it is there again. Names are in lower case, as Fastify would make them each time.
   */
  write(reply: FastifyReply, { allowed, remaining, retryAfterMs }: RateDecision): void {
    const { burst, ratePerSecond } = this.policy;
    const seconds = allowed
      ? Math.ceil((burst - remaining) / ratePerSecond)
      : retryAfterSeconds(retryAfterMs);
    void reply.header('ratelimit-policy', this.#quota);
    void reply.header('ratelimit', `${this.#stateBegin}${allowed ? remaining : 0};t=${seconds}`);
  }
}
