import { Inject, Injectable, Logger } from '@nestjs/common';
import { type QueueBackend } from '../backend/queue-backend.js';
import { TaskStore } from '../queue/task-store.js';
import { Repeater } from '../repeater.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { QUEUE_BACKEND, TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { ThrottledLog } from '../throttled-log.js';

const INTERVAL_MS = 60_000;
const TOO_OLD_AT_ONCE = 10_000;

/**
 * Removes ended tasks that are too old, which the store by itself only does when another one ends; keeps to their
 * number where the store does not, and the store's bookkeeping small.
 */
@Injectable()
export class RetentionTrimmer {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  readonly #repeater = new Repeater(
    INTERVAL_MS,
    () => this.trim(),
    (error) => this.#log.warn('Ended tasks could not be removed', error),
  );

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    @Inject(QUEUE_BACKEND) private readonly backend: QueueBackend | null,
    private readonly store: TaskStore,
  ) {}

  start(): void {
    if (this.backend) this.#repeater.start();
  }

  async stop(): Promise<void> {
    await this.#repeater.stop();
  }

  /** @throws {QueueUnavailableError} */
  async trim(): Promise<void> {
    await this.store.tidy();
    for (const state of ['completed', 'failed'] as const) {
      const { ageMs, count } = this.options.retention[state];
      await this.store.trim(state, TOO_OLD_AT_ONCE, ageMs);
      if (this.backend?.keepsCount) continue;
      const excess = (await this.store.counts())[state] - count;
      if (excess > 0) await this.store.trim(state, excess, 0);
    }
  }
}
