import { type TaskQueueOptions } from '../task-queue.options.js';
import { type ThrottledLog } from '../throttled-log.js';
import { PostgresBackend } from './postgres-backend.js';
import { type QueueBackend } from './queue-backend.js';
import { RedisBackend } from './redis-backend.js';

/** Connects to nothing yet. `null`: there is no store, all tasks run inline. */
export function createBackend(options: TaskQueueOptions, log: ThrottledLog): QueueBackend | null {
  const shared = { prefix: options.prefix, timeoutMs: options.operationTimeoutMs, log };
  switch (options.backend.type) {
    case 'redis':
      return new RedisBackend({ ...shared, options: options.backend });
    case 'postgres':
      return new PostgresBackend({ ...shared, options: options.backend });
    case 'inline':
      return null;
  }
}
