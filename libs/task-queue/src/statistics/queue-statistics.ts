import { type StoreCounts, type TOTALS } from '../backend/task-operations.js';
import { type TaskCounters } from './task-statistics.js';

/** Of this process since it started, but for `pending`, `running` and `deadLettered`, the whole queue's at present. */
export interface TaskQueueStatistics {
  readonly submitted: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Failed attempts that are tried again. */
  readonly retries: number;
  /** Calls of batch handlers. */
  readonly batchesProcessed: number;
  /** Completed among all that have completed or failed, 0 to 1; 1 when none has. */
  readonly successRate: number;
  /** Waiting and delayed; `null` while the store does not answer. */
  readonly pending: number | null;
  readonly running: number | null;
  /** Tasks that have failed for good and are kept, the whole queue's; `null` while the store does not answer. */
  readonly deadLettered: number | null;
}

/** @param inline tasks of this process that no store knows */
export function queueStatistics(
  total: Readonly<Pick<TaskCounters, (typeof TOTALS)[number]>>,
  counts: StoreCounts | undefined,
  inline: { readonly pending: number; readonly running: number; readonly deadLettered: number },
): TaskQueueStatistics {
  const ended = total.completed + total.failed;
  return {
    submitted: total.submitted,
    completed: total.completed,
    failed: total.failed,
    cancelled: total.cancelled,
    retries: total.retries,
    batchesProcessed: total.batches,
    successRate: ended === 0 ? 1 : total.completed / ended,
    pending: counts ? counts.waiting + counts.delayed + inline.pending : null,
    running: counts ? counts.running + inline.running : null,
    deadLettered: counts ? counts.failed + inline.deadLettered : null,
  };
}
