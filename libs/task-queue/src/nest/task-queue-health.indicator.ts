import { Inject, Injectable } from '@nestjs/common';
import { TaskDeadlines } from '../queue/task-deadlines.js';
import { TaskStore } from '../queue/task-store.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { QueueUnavailableError } from '../task-queue.errors.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { TaskWorker } from '../worker/task-worker.js';

/** What counts for the health of the application, and how. */
export interface TaskQueueHealthOptions {
  /**
   * Whether the application is down with the queue. Seldom right: all replicas share the store, and would leave at
   * once. @default false
   */
  readonly required?: boolean;
  /** The first waiting task may be this much later than its deadline, which lies within the promise, milliseconds. @default 30,000 */
  readonly maxOverdueMs?: number;
}

/** A check as `HealthModule` of `@peregrine/health` takes it. */
export interface TaskQueueHealthCheck {
  readonly name: string;
  readonly criticality: 'critical' | 'degraded';
  /**
   * Rejects while the store does not answer, the worker of this process has no store, the queue is paused, or tasks
   * wait for much longer than promised.
   */
  check(signal?: AbortSignal): Promise<void>;
}

/** What an indicator of `@nestjs/terminus` answers for the queue. */
export interface TaskQueueHealth {
  readonly status: 'up' | 'down';
  readonly store: 'available' | 'unavailable';
  /** Of this process. */
  readonly worker: 'none' | 'starting' | 'open' | 'stopping';
  readonly paused: boolean;
  /** How much later than planned the first waiting task is, milliseconds; 0 when it is not. */
  readonly overdueMs: number;
}

const MAX_OVERDUE_MS = 30_000;

/** The health of the queue: two small questions to the store, whatever it holds. */
@Injectable()
export class TaskQueueHealthIndicator {
  readonly #deadlines: TaskDeadlines;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly worker: TaskWorker,
  ) {
    this.#deadlines = new TaskDeadlines(options.priorities);
  }

  /** For `HealthModule.forRoot({ checks: [indicator.check()] })`. */
  check({
    required = false,
    maxOverdueMs = MAX_OVERDUE_MS,
  }: TaskQueueHealthOptions = {}): TaskQueueHealthCheck {
    return {
      name: 'task-queue',
      criticality: required ? 'critical' : 'degraded',
      check: async (signal) => {
        await this.store.ping(signal);
        const problem = problemOf(await this.#facts(), maxOverdueMs);
        if (problem !== undefined) throw new Error(problem);
      },
    };
  }

  /** For terminus: `health.check([() => indicator.isHealthy('task-queue')])`. Up with its details unless `required`. */
  async isHealthy<const Key extends string = 'task-queue'>(
    key: Key = 'task-queue' as Key,
    { required = false, maxOverdueMs = MAX_OVERDUE_MS }: TaskQueueHealthOptions = {},
  ): Promise<Record<Key, TaskQueueHealth>> {
    const facts = await this.#facts();
    const isWhole = problemOf(facts, maxOverdueMs) === undefined;
    return { [key]: { status: required && !isWhole ? 'down' : 'up', ...facts } } as Record<
      Key,
      TaskQueueHealth
    >;
  }

  async #facts(): Promise<Facts> {
    const worker = this.worker.state;
    try {
      const { number, isPaused } = await this.store.head();
      const now = Date.now();
      const overdueMs = number === null ? 0 : Math.max(0, now - this.#deadlines.deadlineOf(number, now));
      return { store: 'available', worker, paused: isPaused, overdueMs };
    } catch (error) {
      if (!(error instanceof QueueUnavailableError)) throw error;
      return { store: 'unavailable', worker, paused: false, overdueMs: 0 };
    }
  }
}

type Facts = Omit<TaskQueueHealth, 'status'>;

function problemOf({ store, worker, paused, overdueMs }: Facts, maxOverdueMs: number): string | undefined {
  if (store === 'unavailable') return 'the store of the queue does not answer';
  if (worker === 'starting') return 'the worker of this process has not reached the store';
  if (paused) return 'the queue is paused';
  if (overdueMs > maxOverdueMs) {
    return `the first waiting task is ${Math.round(overdueMs / 1_000)} s late: too few workers, or none`;
  }
  return undefined;
}
