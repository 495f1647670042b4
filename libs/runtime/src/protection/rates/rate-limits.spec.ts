import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRateLimiter, type RateLimiter } from '@peregrine/task-queue';
import { type RateCaller, RateLimits } from './rate-limits.js';
import { type RateDecision } from './rate-policy.js';
import { SharedTokens } from './shared-tokens.js';

const POLICIES = {
  key: { name: 'key', ratePerSecond: 1, burst: 10 },
  address: { name: 'address', ratePerSecond: 1, burst: 5 },
  failures: { name: 'failures', ratePerSecond: 0.1, burst: 3 },
};
const RETRY_MS = 1_000;

const memory = () => createRateLimiter({ backend: { type: 'memory' } });

/** A store that can be taken away, which a real one cannot at a given call. */
class Store implements Pick<RateLimiter, 'tryAcquire'> {
  isThere = true;
  readonly #limiter = memory();

  tryAcquire: RateLimiter['tryAcquire'] = (...args) =>
    this.isThere ? this.#limiter.tryAcquire(...args) : Promise.reject(new Error('gone'));
}

describe('the rate limits of the api', () => {
  let nowMs: number;
  let store: Store;
  let limits: RateLimits;

  beforeEach(() => {
    nowMs = 0;
    store = new Store();
    const now = () => nowMs;
    limits = new RateLimits(POLICIES, new SharedTokens(store, memory(), now), now);
  });

  const caller = (network: string, key?: string): RateCaller => ({ network, key });
  const askUntilRefused = async (who: RateCaller): Promise<{ granted: number; last: RateDecision }> => {
    for (let granted = 0; ; granted++) {
      const last = await limits.admit(who, 1);
      if (!last.allowed) return { granted, last };
    }
  };

  it('gives made-up keys the bucket of their address, and a key of its own to whoever was let in', async () => {
    for (let key = 0; key < 5; key++) {
      expect(await limits.admit(caller('a', `made up ${key}`), 1)).toMatchObject({ allowed: true });
    }
    expect(await limits.admit(caller('a', 'another'), 1)).toMatchObject({ allowed: false });
    limits.accepted('good', 'id-1');
    expect((await askUntilRefused(caller('a', 'good'))).granted).toBe(10);
    expect(limits.refused).toEqual({ key: 1, address: 1, failures: 0 });
  });

  it('lets an address with wrong keys in by known ones alone', async () => {
    limits.accepted('good', 'id-1');
    for (let turn = 0; turn < 4; turn++) {
      limits.failed(caller('a', `wrong ${turn}`));
      await new Promise(setImmediate);
    }
    const refused = { allowed: false, policy: { name: 'failures' } };
    expect(await limits.admit(caller('a', 'wrong'), 1)).toMatchObject(refused);
    expect(await limits.admit({ ...caller('a'), isLogin: true }, 1)).toMatchObject(refused);
    expect(await limits.admit(caller('a', 'good'), 1)).toMatchObject({ allowed: true });
    expect(await limits.admit(caller('a'), 1)).toMatchObject({ allowed: true });
    expect(await limits.admit(caller('b', 'wrong'), 1)).toMatchObject({ allowed: true });
  });

  it('forgets a key that no longer holds, and every key in time', async () => {
    limits.accepted('good', 'id-1');
    limits.failed(caller('a', 'good'));
    expect(await limits.admit(caller('a', 'good'), 1)).toMatchObject({ policy: { name: 'address' } });
    limits.accepted('good', 'id-1');
    expect(await limits.admit(caller('a', 'good'), 1)).toMatchObject({ policy: { name: 'key' } });
    nowMs += 300_001;
    expect(await limits.admit(caller('a', 'good'), 1)).toMatchObject({ policy: { name: 'address' } });
  });

  it('counts for itself while the store is away, tries it once a second, and goes back to it', async () => {
    limits.accepted('good', 'id-1');
    store.isThere = false;
    expect((await askUntilRefused(caller('a', 'good'))).granted).toBe(10);
    const { tokens } = limits;
    expect([tokens.isShared, tokens.trips, tokens.failures]).toEqual([false, 1, 1]);
    expect(tokens.fallbacks).toBeGreaterThan(9);
    store.isThere = true;
    nowMs += RETRY_MS;
    expect(await limits.admit(caller('b'), 1)).toMatchObject({ allowed: true });
    expect(tokens.isShared).toBe(true);
  });

  it('keeps its memory small, whoever comes', async () => {
    for (let host = 0; host < 10_500; host++)
      await limits.admit(caller(`10.0.${host >> 8}.${host & 255}`), 1);
    expect(limits.size).toBe(10_000);
  });

  it('tells its figures', async () => {
    await limits.admit(caller('a'), 1);
    const shown = Object.fromEntries(limits.collect().map(({ name, samples }) => [name, samples[0]?.value]));
    expect(shown).toMatchObject({
      protection_rate_allowed_total: 1,
      protection_rate_store_trips_total: 1,
      protection_rate_store_up: 1,
    });
  });
});
