import { Logger } from '@nestjs/common';
import { type RateLimitDecision, type RateLimiter } from '@peregrine/task-queue';
import { type RatePolicy } from './rate-policy.js';

/** After a failure the store is left alone for this time. */
const RETRY_MS = 1_000;

/**
 * The buckets of all processes, in Redis or PostgreSQL; while the store does not answer, those of this process alone. Then
 * every process grants the whole rate, which is better than refusing what nobody has counted.
 */
export class SharedTokens {
  /** Operations on the store. */
  trips = 0;
  /** Those among them that failed. */
  failures = 0;
  /** Answers that came from this process alone. */
  fallbacks = 0;

  readonly #log = new Logger('RateLimits');
  #brokenSince: number | undefined;
  #retryAtMs = 0;

  /** @param local never fails */
  constructor(
    private readonly shared: Pick<RateLimiter, 'tryAcquire'>,
    private readonly local: Pick<RateLimiter, 'tryAcquire'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether the store answered the last time. */
  get isShared(): boolean {
    return this.#brokenSince === undefined;
  }

  /** Takes tokens if they are there. Never rejects. */
  async take(
    { name, ratePerSecond, burst }: RatePolicy,
    key: string,
    cost: number,
  ): Promise<RateLimitDecision> {
    const bucket = `http.${name}`;
    const request = { key, cost, ratePerSecond, burst };
    const decision = this.#mayAsk() ? await this.#ask(bucket, request) : undefined;
    if (decision) return decision;
    this.fallbacks++;
    return this.local.tryAcquire(bucket, request);
  }

  /** While the store is away one caller in a while tries it; the others do not wait for that. */
  #mayAsk(): boolean {
    if (this.isShared) return true;
    if (this.now() < this.#retryAtMs) return false;
    this.#retryAtMs = this.now() + RETRY_MS;
    return true;
  }

  async #ask(
    bucket: string,
    request: Parameters<RateLimiter['tryAcquire']>[1],
  ): Promise<RateLimitDecision | undefined> {
    this.trips++;
    try {
      const decision = await this.shared.tryAcquire(bucket, request);
      if (!this.isShared) this.#log.log('The rate limits are held by all processes together again');
      this.#brokenSince = undefined;
      return decision;
    } catch (error) {
      this.failures++;
      this.#retryAtMs = this.now() + RETRY_MS;
      if (this.isShared) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn(`Each process holds the rate limits for itself: ${reason}`);
        this.#brokenSince = this.now();
      }
      return undefined;
    }
  }
}
