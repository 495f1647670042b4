import { Inject, Injectable } from '@nestjs/common';
import { type TaskPriority } from '../definition/task-priority.js';
import { type PriorityPromises } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { WaitTimes } from './wait-times.js';

/** Counters of one task in this process, since it started. */
export interface TaskCounters {
  submitted: number;
  completed: number;
  failed: number;
  /** Cancelled by a caller while queued or running, or by the handler itself. */
  cancelled: number;
  retries: number;
  batches: number;
  /** Tasks taken over from a worker that had died or lost them. */
  suspects: number;
  /** Tasks that failed because they kill their workers. */
  poisoned: number;
  /** Runs that a rate limit put off. */
  rateLimited: number;
  /** For how long in total, milliseconds. */
  rateLimitWaitMs: number;
  /** Dead letters that this process put back to work. */
  redriven: number;
  /** Dead letters that this process removed. */
  purged: number;
  /** Handler calls, milliseconds in total. */
  durationMs: number;
}

const zeros = (): TaskCounters => ({
  submitted: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  retries: 0,
  batches: 0,
  suspects: 0,
  poisoned: 0,
  rateLimited: 0,
  rateLimitWaitMs: 0,
  redriven: 0,
  purged: 0,
  durationMs: 0,
});

/** Plain counters, by task name. Only known tasks are counted, so the number of entries is bounded. */
@Injectable()
export class TaskStatistics {
  readonly waits = new WaitTimes();
  readonly #byTask = new Map<string, TaskCounters>();

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: { readonly priorities: PriorityPromises },
  ) {}

  /** A task has come to its handler. */
  waited(priority: TaskPriority, waitedMs: number): void {
    this.waits.observe(priority, waitedMs, this.options.priorities[priority].maxWaitMs);
  }

  of(task: string): TaskCounters {
    let counters = this.#byTask.get(task);
    if (!counters) this.#byTask.set(task, (counters = zeros()));
    return counters;
  }

  entries(): readonly (readonly [task: string, counters: Readonly<TaskCounters>])[] {
    return [...this.#byTask];
  }

  total(): TaskCounters {
    const sum = zeros();
    for (const counters of this.#byTask.values()) {
      for (const key of Object.keys(sum) as (keyof TaskCounters)[]) sum[key] += counters[key];
    }
    return sum;
  }
}
