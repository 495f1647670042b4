import { describe, expect, it } from '@jest/globals';
import { type RateLimitDecision } from '@peregrine/task-queue';
import fc from 'fast-check';
import { type RateDecision } from './rate-policy.js';
import { TokenLease } from './token-lease.js';

/** A bucket as the store has it, on a clock of the test. */
class Bucket {
  nowMs = 0;
  trips = 0;
  #tokens: number;
  #atMs = 0;

  constructor(
    readonly ratePerSecond: number,
    readonly burst: number,
  ) {
    this.#tokens = burst;
  }

  take = (cost: number): Promise<RateLimitDecision> => {
    this.trips++;
    this.#tokens = Math.min(
      this.burst,
      this.#tokens + ((this.nowMs - this.#atMs) * this.ratePerSecond) / 1_000,
    );
    this.#atMs = this.nowMs;
    const allowed = this.#tokens >= cost - 1e-9;
    if (allowed) this.#tokens -= cost;
    const retryAfterMs = allowed ? 0 : Math.ceil(((cost - this.#tokens) * 1_000) / this.ratePerSecond);
    return Promise.resolve({ allowed, retryAfterMs, remaining: Math.floor(this.#tokens) });
  };

  lease = (): TokenLease =>
    new TokenLease(
      { name: 'test', ratePerSecond: this.ratePerSecond, burst: this.burst },
      this.take,
      () => this.nowMs,
    );
}

describe('a lease of tokens', () => {
  it('grants exactly the burst at once, however many processes ask', async () => {
    const bucket = new Bucket(1, 100);
    const leases = [bucket.lease(), bucket.lease(), bucket.lease()];
    const asked = Array.from({ length: 200 }, async (_, index) => leases[index % 3]?.spend(1));
    const decisions = (await Promise.all(asked)) as RateDecision[];
    expect(decisions.filter((it) => it.allowed)).toHaveLength(100);
    expect(decisions.filter((it) => !it.allowed && it.retryAfterMs < 1)).toEqual([]);
  });

  it('never grants more than the bucket has, and what it held for a second, to any number of processes', async () => {
    const step = fc.record({
      lease: fc.nat(2),
      cost: fc.integer({ min: 1, max: 5 }),
      laterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 5, max: 2_000 }),
        fc.array(step, { maxLength: 200 }),
        async (ratePerSecond, burst, steps) => {
          const bucket = new Bucket(ratePerSecond, burst);
          const leases = [bucket.lease(), bucket.lease(), bucket.lease()];
          let granted = 0;
          for (const { lease, cost, laterMs } of steps) {
            bucket.nowMs += laterMs;
            const decision = await leases[lease]?.spend(cost);
            if (decision?.allowed) granted += cost;
            expect(granted).toBeLessThanOrEqual(burst + (ratePerSecond * bucket.nowMs) / 1_000 + 1e-6);
          }
        },
      ),
    );
  });

  it('asks the store once in many requests of a busy caller', async () => {
    const bucket = new Bucket(1_000, 2_000);
    const lease = bucket.lease();
    for (let request = 0; request < 5_000; request++) {
      bucket.nowMs += 2;
      expect((await lease.spend(1)).allowed).toBe(true);
    }
    expect(bucket.trips).toBeLessThan(5_000 / 30);
    // What it did not use within a second is gone.
    const { trips } = bucket;
    bucket.nowMs += 1_001;
    await lease.spend(1);
    expect(bucket.trips).toBe(trips + 1);
  });

  it('takes from the store what a slow caller uses, and nothing in advance', async () => {
    const bucket = new Bucket(1, 100);
    const lease = bucket.lease();
    for (let request = 0; request < 50; request++) {
      bucket.nowMs += 2_000;
      expect((await lease.spend(1)).allowed).toBe(true);
    }
    expect(bucket.trips).toBe(50);
    expect((await bucket.take(100)).remaining).toBeGreaterThanOrEqual(98);
  });

  it('refuses a flood without asking the store, and lets the caller in again in time', async () => {
    const bucket = new Bucket(10, 20);
    const lease = bucket.lease();
    for (let request = 0; request < 10_000; request++) await lease.spend(1);
    expect(bucket.trips).toBeLessThan(60);
    expect(lease.blockedMs(1)).toBeGreaterThan(0);
    bucket.nowMs += 100;
    expect((await lease.spend(1)).allowed).toBe(true);
  });

  it('serves dear and cheap requests in the order in which they came', async () => {
    const bucket = new Bucket(1, 20);
    const lease = bucket.lease();
    const decisions = await Promise.all([lease.spend(15), lease.spend(5), lease.spend(1)]);
    expect(decisions.map((it) => it.allowed)).toEqual([true, true, false]);
  });
});
