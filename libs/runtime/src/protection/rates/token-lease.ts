import { type RateLimitDecision } from '@peregrine/task-queue';
import { type RateDecision, type RatePolicy } from './rate-policy.js';

/** Tokens that were fetched and not used in this time are gone: nobody saves up beyond the bucket. */
const LEASE_MS = 1_000;
/** A caller that is refused is not asked about again before; so a flood costs the store no more than this. */
const MIN_BLOCK_MS = 20;
/** Races with other processes for the last tokens. */
const MAX_TRIES = 3;

/** Takes tokens of one bucket if they are there. Never rejects. */
export type TakeTokens = (cost: number) => Promise<RateLimitDecision>;

interface Waiting {
  readonly cost: number;
  readonly resolve: (decision: RateDecision) => void;
}

/**
 * One caller's tokens in this process: fetched from the bucket a few at a time, more with each time that they did not
 * last, and the next ones before they are used up. A busy caller so waits for the store once in many requests, and a
 * refused one not at all. Tokens are taken before they are spent, so all processes together never grant more than the
 * bucket has, but for what was fetched within the last second.
 */
export class TokenLease {
  #left = 0;
  #size = 1;
  #endsAtMs = 0;
  /** What the bucket had beside the lease when it was asked. */
  #beside: number;
  #blockedUntilMs = 0;
  #blockedCost = Infinity;
  #waiting: Waiting[] = [];
  #isFetching = false;
  #inAdvanceFromMs = 0;
  readonly #maxSize: number;

  /** @param maxSize tokens that are fetched at once; 1 for none in advance */
  constructor(
    private readonly policy: RatePolicy,
    private readonly take: TakeTokens,
    private readonly now: () => number,
    // No more than half a second of it: what a process holds and does not use is what the others lack.
    maxSize = Math.floor(Math.min(policy.burst / 20, policy.ratePerSecond / 2)),
  ) {
    this.#maxSize = Math.max(1, maxSize);
    this.#beside = policy.burst;
  }

  /** Milliseconds until something of this cost is worth a question to the store; 0 when it is now. */
  blockedMs(cost: number, nowMs = this.now()): number {
    if (cost < this.#blockedCost) return 0;
    return Math.max(0, this.#blockedUntilMs - nowMs);
  }

  /** Spends tokens if they are there; at once where this process knows. Never rejects. */
  spend(cost: number, nowMs = this.now()): RateDecision | Promise<RateDecision> {
    const blockedMs = this.blockedMs(cost, nowMs);
    if (blockedMs > 0) return this.#decision(false, blockedMs);
    if (nowMs >= this.#endsAtMs) this.#expire();
    // Behind those who wait, or a dear request would never get its tokens.
    if (this.#waiting.length === 0 && this.#left >= cost) {
      this.#left -= cost;
      if (this.#left < this.#size / 2 && nowMs >= this.#inAdvanceFromMs) void this.#fetch();
      return this.#decision(true, 0);
    }
    const { promise, resolve } = Promise.withResolvers<RateDecision>();
    this.#waiting.push({ cost, resolve });
    void this.#fetch();
    return promise;
  }

  #expire(): void {
    if (this.#left > 0) this.#size = Math.max(1, this.#size >> 1);
    this.#left = 0;
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    // What comes while it is on its way waits for the next one.
    do await this.#fetchOnce();
    while (this.#waiting.length > 0);
    this.#isFetching = false;
  }

  async #fetchOnce(): Promise<void> {
    const served = [...this.#waiting];
    const wanted = served.reduce((sum, { cost }) => sum + cost, 0);
    const isBusy = this.now() < this.#endsAtMs;
    const got = await this.#takeUpTo(
      Math.min(this.policy.burst, Math.max(1, wanted - this.#left) + this.#size - 1),
    );
    if (this.now() >= this.#endsAtMs) this.#expire();
    this.#left += got;
    this.#endsAtMs = this.now() + LEASE_MS;
    if (got === 0) this.#inAdvanceFromMs = this.now() + MIN_BLOCK_MS;
    else if (isBusy) this.#size = Math.min(this.#maxSize, this.#size * 2);
    this.#waiting = this.#waiting.slice(served.length);
    for (const it of served) this.#serve(it);
  }

  #serve({ cost, resolve }: Waiting): void {
    if (this.#left >= cost) {
      this.#left -= cost;
      return resolve(this.#decision(true, 0));
    }
    const retryAfterMs = Math.ceil(((cost - this.#left) * 1_000) / this.policy.ratePerSecond);
    this.#blockedCost = this.blockedMs(this.#blockedCost) > 0 ? Math.min(cost, this.#blockedCost) : cost;
    this.#blockedUntilMs = this.now() + Math.max(retryAfterMs, MIN_BLOCK_MS);
    resolve(this.#decision(false, retryAfterMs));
  }

  /** As many as there are, if not all: a large lease must not fail for the last few. */
  async #takeUpTo(tokens: number): Promise<number> {
    let cost = tokens;
    for (let tries = 0; tries < MAX_TRIES && cost > 0; tries++) {
      const { allowed, remaining } = await this.take(cost);
      this.#beside = remaining;
      if (allowed) return cost;
      cost = Math.min(cost - 1, remaining);
    }
    return 0;
  }

  #decision(allowed: boolean, retryAfterMs: number): RateDecision {
    const remaining = Math.min(this.policy.burst, this.#left + this.#beside);
    return { policy: this.policy, allowed, remaining, retryAfterMs };
  }
}
