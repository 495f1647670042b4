import { Redis } from 'ioredis';
import { type BucketStore } from './bucket-store.js';
import { GIVE_BACK, PAUSE, TAKE } from './redis-bucket-scripts.js';
import { type TakeAnswer, type TakeRequest } from './token-bucket.js';

const MAX_RECONNECT_DELAY_MS = 2_000;

export interface RedisBucketsInput {
  readonly url: string;
  readonly prefix: string;
  /** Bound of a connection attempt and of a command, milliseconds. */
  readonly timeoutMs: number;
  /** Told of a connection that failed. */
  readonly onError: (error: Error) => void;
}

/** Buckets in Redis or Valkey, on its clock; a hash each, which expires. Connects with the first use. */
export class RedisBuckets implements BucketStore {
  readonly #client: Redis;
  readonly #keyPrefix: string;

  constructor({ url, prefix, timeoutMs, onError }: RedisBucketsInput) {
    this.#keyPrefix = `{${prefix}}:limits:`;
    this.#client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      // A command waits for the first attempt to connect, and is never sent twice: it would take twice.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS),
    });
    this.#client.on('error', onError);
  }

  async take(bucket: string, request: TakeRequest): Promise<TakeAnswer> {
    const { cost, ratePerSecond, burst, slotUs, maxWaitUs } = request;
    const answer = await this.#run(TAKE, bucket, cost, ratePerSecond, burst, slotUs, maxWaitUs);
    const [granted, nowUs = 0, nextUs = 0, remaining = 0] = answer as number[];
    return { granted: granted === 1, nowUs, slotUs: nextUs, remaining };
  }

  async giveBack(bucket: string, cost: number): Promise<void> {
    await this.#run(GIVE_BACK, bucket, cost);
  }

  async pause(bucket: string, pauseUs: number): Promise<void> {
    await this.#run(PAUSE, bucket, pauseUs);
  }

  close(): Promise<void> {
    this.#client.disconnect();
    return Promise.resolve();
  }

  #run(script: string, bucket: string, ...values: readonly number[]): Promise<unknown> {
    return this.#client.eval(script, 1, this.#keyPrefix + bucket, ...values);
  }
}
