import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { pauseFor, systemClock, type TaskClock } from '../clock.js';
import { withDeadline } from '../deadline.js';
import { QueueUnavailableError, RateLimitedError } from '../task-queue.errors.js';
import { type BucketStore } from './bucket-store.js';
import { bucketOf, parsePauseUs, parseRateLimit, type RateLimitRequest } from './rate-limit-input.js';
import { type TakeAnswer } from './token-bucket.js';

/** About thirty years: every slot is promised. */
const ANY_WAIT_US = 1e15;

/** How long `acquire` may take. */
export interface AcquireOptions extends RateLimitRequest {
  /** Ends the wait; the slot goes back. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up at once when the wait would be longer, milliseconds. @default as long as it takes */
  readonly maxWaitMs?: number | undefined;
}

export interface RateLimitGrant {
  /** In this process, milliseconds; 0 when the bucket had enough. */
  readonly waitedMs: number;
  /** When the store granted it, by its clock: epoch milliseconds with fractions. */
  readonly grantedAtMs: number;
  /** Whole tokens that the next caller could have at once. */
  readonly remaining: number;
}

export interface RateLimitDecision {
  readonly allowed: boolean;
  /** When to try again, whole milliseconds from now; 0 when allowed. */
  readonly retryAfterMs: number;
  readonly remaining: number;
}

/** A limit that several processes hold together: token buckets in a store, see `token-bucket.ts`. */
@Injectable()
export class RateLimiter implements OnApplicationShutdown {
  /** @param timeoutMs bound of every operation on the store */
  constructor(
    private readonly store: BucketStore,
    private readonly timeoutMs: number,
    private readonly clock: TaskClock = systemClock,
  ) {}

  /**
   * Takes tokens, and waits for them if need be about in the order of the callers. One round trip to the store, two when
   * it waits.
   *
   * @throws {RateLimitedError} the wait would be longer than `maxWaitMs`; nothing was taken
   * @throws {InvalidRateLimitError}
   * @throws {QueueUnavailableError}
   * @throws the signal's reason
   */
  async acquire(name: string, options: AcquireOptions = {}): Promise<RateLimitGrant> {
    const { signal, ...request } = options;
    signal?.throwIfAborted();
    const startedAt = performance.now();
    let slotUs = 0;
    for (;;) {
      const leftMs = (request.maxWaitMs ?? Infinity) - Math.floor(performance.now() - startedAt);
      const answer = await this.take(name, request, slotUs, Math.max(0, leftMs));
      if (answer.granted) {
        const waitedMs = slotUs === 0 ? 0 : performance.now() - startedAt;
        return { waitedMs, grantedAtMs: answer.nowUs / 1_000, remaining: answer.remaining };
      }
      const waitMs = delayMsOf(answer);
      if (answer.slotUs !== slotUs && waitMs > leftMs) throw new RateLimitedError(name, waitMs);
      slotUs = answer.slotUs;
      await this.#wait(name, request, waitMs, signal);
    }
  }

  /** Takes tokens only if they are there. One round trip. @throws {InvalidRateLimitError} @throws {QueueUnavailableError} */
  async tryAcquire(name: string, request: RateLimitRequest = {}): Promise<RateLimitDecision> {
    const answer = await this.take(name, request, 0, 0);
    return { allowed: answer.granted, retryAfterMs: delayMsOf(answer), remaining: answer.remaining };
  }

  /**
   * Grants nothing of this name and key for a time, in any process: for an upstream that answers with Retry-After. A
   * longer pause goes on. Who waits already gets a later slot; the bucket does not fill meanwhile.
   *
   * @param key `undefined`: the bucket of those without a key
   * @param retryAfterMs 0 to a year
   * @throws {InvalidRateLimitError}
   * @throws {QueueUnavailableError}
   */
  async penalize(name: string, key: string | undefined, retryAfterMs: number): Promise<void> {
    const pauseUs = parsePauseUs(name, retryAfterMs);
    const bucket = bucketOf(name, key);
    await this.#answered('penalize', () => this.store.pause(bucket, pauseUs));
  }

  /**
   * One step of a wait.
   *
   * @param slotUs what the last step answered, if it promised the slot; else 0
   * @param maxWaitMs a slot further away is not promised
   * @internal
   */
  async take(
    name: string,
    request: RateLimitRequest & { readonly maxWaitMs?: number | undefined },
    slotUs: number,
    maxWaitMs = Infinity,
  ): Promise<TakeAnswer> {
    const { key, cost, ratePerSecond, burst } = parseRateLimit(name, request);
    const bucket = bucketOf(name, key);
    const maxWaitUs = Math.min(maxWaitMs * 1_000, ANY_WAIT_US);
    const taken = { cost, ratePerSecond, burst, slotUs, maxWaitUs };
    return this.#answered('rate limit', () => this.store.take(bucket, taken));
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.store.close();
  }

  /** Nest calls it last. */
  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  async #wait(
    name: string,
    request: RateLimitRequest,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await pauseFor(this.clock, waitMs, signal);
    } catch (error) {
      const bucket = bucketOf(name, request.key);
      // Best effort: what is not given back is a token that nobody uses.
      await this.#answered('rate limit', () => this.store.giveBack(bucket, request.cost ?? 1)).catch(
        () => undefined,
      );
      throw error;
    }
  }

  async #answered<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await withDeadline(work(), this.timeoutMs);
    } catch (error) {
      throw new QueueUnavailableError(operation, { cause: error });
    }
  }
}

/** Whole milliseconds until the slot. */
export function delayMsOf({ granted, slotUs, nowUs }: TakeAnswer): number {
  return granted ? 0 : Math.ceil((slotUs - nowUs) / 1_000);
}
