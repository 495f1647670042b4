import { type WorkerOptions } from 'bullmq';
import { type StoreJob, type WorkerInput } from './queue-backend.js';

/** Seconds that an idle worker waits before it looks by itself; new tasks wake it at once. */
export const IDLE_WAIT_S = 2;
const RECONNECT_DELAY_MS = 1_000;

/** The name of our backoff; BullMQ asks the worker for the delay of a strategy that it does not know. */
export const BACKOFF_TYPE = 'peregrine';

/** BullMQ's options of a worker, the same for both stores. */
export function workerOptions({
  settings,
  claims,
  retryDelayMs,
  name,
}: WorkerInput): Omit<WorkerOptions, 'connection'> {
  return {
    autorun: false,
    name,
    concurrency: claims,
    lockDuration: settings.lockDurationMs,
    stalledInterval: settings.stalledIntervalMs,
    maxStalledCount: settings.maxStalledCount,
    drainDelay: IDLE_WAIT_S,
    runRetryDelay: RECONNECT_DELAY_MS,
    settings: {
      backoffStrategy: (_failedAttempts, _type, _error, job) => (job ? retryDelayMs(job as StoreJob) : 0),
    },
  };
}

/** We follow a task by its state, so the stream of events is only kept short. */
export const QUEUE_STREAMS = { events: { maxLen: 1_000 } };
