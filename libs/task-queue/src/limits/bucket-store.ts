import { type TakeAnswer, type TakeRequest } from './token-bucket.js';

/**
 * Where the buckets are. Each operation is one round trip and one atomic step, on the clock of the store; what it
 * does is told in `token-bucket.ts`. A bucket that is full again is forgotten.
 *
 * Every method throws the driver's error when the store is not there.
 */
export interface BucketStore {
  take(bucket: string, request: TakeRequest): Promise<TakeAnswer>;

  /** A promised slot is not used. */
  giveBack(bucket: string, cost: number): Promise<void>;

  pause(bucket: string, pauseUs: number): Promise<void>;

  /** Ends the connections. */
  close(): Promise<void>;
}
