import { type CdnClock, systemClock } from '../clock.js';
import { type PurgeRate } from '../providers/purge-provider.js';

/** The purges that a provider takes for now. */
export interface PurgeBudget {
  /** @returns 0: taken; else milliseconds after which to ask again, nothing is taken */
  take(provider: string, rate: PurgeRate, cost: number): Promise<number>;
  /** Nothing is granted of this bucket for a time: for a provider that answers with Retry-After. A longer pause goes on. */
  pause(provider: string, rate: PurgeRate, ms: number): Promise<void>;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets in the memory of this process. */
export class MemoryPurgeBudget implements PurgeBudget {
  readonly #buckets = new Map<string, Bucket>();

  constructor(private readonly clock: CdnClock = systemClock) {}

  take(provider: string, rate: PurgeRate, cost: number): Promise<number> {
    const bucket = this.#filled(provider, rate);
    const waitMs = Math.max(
      bucket.atMs - this.clock.now(),
      ((cost - bucket.tokens) / rate.ratePerSecond) * 1_000,
    );
    if (waitMs > 0) return Promise.resolve(Math.ceil(waitMs));
    bucket.tokens -= cost;
    return Promise.resolve(0);
  }

  pause(provider: string, rate: PurgeRate, ms: number): Promise<void> {
    const bucket = this.#filled(provider, rate);
    // In the future: until then nothing flows in.
    bucket.atMs = Math.max(bucket.atMs, this.clock.now() + ms);
    return Promise.resolve();
  }

  #filled(provider: string, { bucket: name, ratePerSecond, burst }: PurgeRate): Bucket {
    const key = `${provider}/${name}`;
    const now = this.clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: now };
    const flowed = (Math.max(0, now - bucket.atMs) / 1_000) * ratePerSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + flowed);
    bucket.atMs = Math.max(bucket.atMs, now);
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
