import { type Rebase } from '../queue/task-deadlines.js';

/** What became of the wish to cancel a task. */
export type CancelOutcome =
  /** It was queued and is over. */
  | 'cancelled'
  /** It runs; its worker has been told to end it. */
  | 'cancelling'
  | 'ended'
  | 'not-found';

/** Tasks in the store by state. */
export interface StoreCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly running: number;
  /** Cancelled ones included. */
  readonly completed: number;
  readonly failed: number;
}

/** What is counted over all processes. */
export const TOTALS = ['submitted', 'completed', 'failed', 'cancelled', 'retries', 'batches'] as const;
export type QueueTotalCounts = Readonly<Record<(typeof TOTALS)[number], number>>;

/** What comes next. */
export interface NextTasks {
  /** Of the waiting task that goes first; `null`: none waits. */
  readonly number: number | null;
  /** When the first of the delayed tasks is due, epoch milliseconds; `null`: there is none. */
  readonly dueAtMs: number | null;
}

/** Where a task stands. */
export interface Placement {
  /** Waiting tasks that a worker takes before this one; 0 unless it waits. */
  readonly ahead: number;
  /** Whether a worker that lives holds it. */
  readonly isLocked: boolean;
  /** Whether a cancellation has been asked for while it runs. */
  readonly isCancelling: boolean;
  /** When a delayed task may start, epoch milliseconds; else of no meaning. */
  readonly dueAtMs: number;
}

/**
 * What BullMQ does not offer, or not in one atomic step. Tied to its layout of keys and tables, which is why its
 * version is pinned and the contract tests run each of these on both stores.
 *
 * Every method throws the driver's error when the store is not there.
 */
export interface TaskOperations {
  /** In the order of the ids; atomic for each, one round trip for a thousand. */
  cancel(jobIds: readonly string[], reason: string): Promise<CancelOutcome[]>;

  /** The reasons, by job id, of those among the ids whose cancellation has been asked for while they ran. */
  cancellations(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>>;

  /** `null`: unknown, or no longer kept. */
  placement(jobId: string): Promise<Placement | null>;

  /** Brings priorities of an earlier window into the present one. @returns how many tasks */
  rebase(rebase: Rebase): Promise<number>;

  /** In constant time. */
  counts(): Promise<StoreCounts>;

  /** In constant time. */
  next(): Promise<NextTasks>;

  /** @returns the sums with what is added */
  addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts>;

  /** Keeps the store's own bookkeeping small; now and then is enough. */
  tidy(): Promise<void>;

  /** Stored texts by name. */
  schedules(): Promise<ReadonlyMap<string, string>>;

  /**
   * Replaces a schedule, if it still is what the caller last saw.
   *
   * @param expected `null`: there must be none
   * @param next `null`: removes it
   * @returns false when another process was faster
   */
  swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean>;
}
