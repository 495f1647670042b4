import { Inject, Injectable } from '@nestjs/common';
import { type QueueBackend, type StoreQueue } from '../backend/queue-backend.js';
import { type StoreCounts } from '../backend/task-operations.js';
import { withDeadline } from '../deadline.js';
import { QueueUnavailableError } from '../task-queue.errors.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { QUEUE_BACKEND, TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { QueueCounts } from './queue-counts.js';

/**
 * BullMQ's own queue, for dashboards that show it. Only to look at: what changes tasks through it passes by deadlines,
 * limits and the counters of this library.
 */
@Injectable()
export class BullQueue {
  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    @Inject(QUEUE_BACKEND) private readonly backend: QueueBackend | null,
    private readonly tasks: QueueCounts,
  ) {}

  /** `null`: all tasks run inline. @throws {QueueUnavailableError} */
  async get(): Promise<StoreQueue | null> {
    if (!this.backend) return null;
    try {
      return await withDeadline(this.backend.queue(), this.options.operationTimeoutMs);
    } catch (error) {
      throw new QueueUnavailableError('dashboard', { cause: error });
    }
  }

  /** In constant time, where BullMQ's own count reads every task on PostgreSQL. @throws {QueueUnavailableError} */
  counts(): Promise<StoreCounts> {
    return this.tasks.now();
  }
}
