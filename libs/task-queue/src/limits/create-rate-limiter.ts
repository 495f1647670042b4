import { Logger } from '@nestjs/common';
import { systemClock } from '../clock.js';
import { parseTaskQueueOptions, type TaskQueueOptions } from '../task-queue.options.js';
import { ThrottledLog } from '../throttled-log.js';
import { type BucketStore } from './bucket-store.js';
import { MemoryBuckets } from './memory-buckets.js';
import { PostgresBuckets } from './postgres-buckets.js';
import { RateLimiter } from './rate-limiter.js';
import { RedisBuckets } from './redis-buckets.js';

/** Where the buckets are, for `createRateLimiter`. */
export interface CreateRateLimiterOptions {
  readonly backend:
    | { readonly type: 'redis'; readonly url: string }
    | { readonly type: 'postgres'; readonly url: string; /** @default 'bullmq' */ readonly schema?: string }
    /** Of this process alone. */
    | { readonly type: 'memory' };
  /** As of the task queue: with the same one, a task and the callers of its name share a bucket. @default 'peregrine' */
  readonly prefix?: string;
  /** Bound of every operation on the store, milliseconds. @default 5_000 */
  readonly operationTimeoutMs?: number;
}

/**
 * A limiter alone, without a task queue. Connects with the first use; close it.
 *
 * @throws {InvalidTaskQueueOptionsError}
 */
export function createRateLimiter({ backend, ...shared }: CreateRateLimiterOptions): RateLimiter {
  const isMemory = backend.type === 'memory';
  return limiterFor(
    parseTaskQueueOptions({ ...shared, backend: isMemory ? { type: 'inline' } : backend, tasks: [] }),
  );
}

/** Holds for this process alone, and never fails. */
export function createMemoryLimiter(): RateLimiter {
  return new RateLimiter(new MemoryBuckets(), 1_000);
}

/** The limiter of a task queue; without a store it holds for this process. */
export function limiterFor(options: TaskQueueOptions): RateLimiter {
  return new RateLimiter(bucketsFor(options), options.operationTimeoutMs, options.clock);
}

function bucketsFor({ backend, prefix, operationTimeoutMs, clock }: TaskQueueOptions): BucketStore {
  const log = new ThrottledLog(new Logger('RateLimiter'));
  const onError = (error: Error) => log.warn('The store of the rate limits failed', error);
  const shared = { prefix, timeoutMs: operationTimeoutMs, onError };
  switch (backend.type) {
    case 'redis':
      return new RedisBuckets({ ...shared, url: backend.url });
    case 'postgres':
      return new PostgresBuckets({ ...shared, url: backend.url, schema: backend.schema });
    case 'inline':
      // The machine's wall clock may be set back, which buckets must not see.
      return clock === systemClock ? new MemoryBuckets() : new MemoryBuckets(() => clock.now() * 1_000);
  }
}
