import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CdnInvalidation } from '@peregrine/cdn';
import { repeatAtLowPriority, type RepeatedWork } from '@peregrine/query-optimizer';
import { PostgresInvalidationQueue } from './postgres-invalidation-queue.js';
import { TaskPurgeDispatch } from './task-purge-dispatch.js';

/** How long a purge whose task was lost waits, milliseconds. */
const INTERVAL_MS = 5_000;
const HISTORY_MS = 7 * 86_400_000;
const FORGET_INTERVAL_MS = 3_600_000;

/**
 * Finds purges that no task is on the way for: the task was lost with its store, or ran before a transaction had
 * committed that asked for the same.
 */
@Injectable()
export class PurgeSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('CdnPurges');
  #sweeps: RepeatedWork | undefined;
  #forgotAt = 0;

  constructor(
    private readonly cdn: CdnInvalidation,
    private readonly queue: PostgresInvalidationQueue,
    private readonly dispatch: TaskPurgeDispatch,
  ) {}

  onApplicationBootstrap(): void {
    if (this.cdn.providers.length === 0) return;
    this.#sweeps = repeatAtLowPriority(
      INTERVAL_MS,
      () => this.sweep(),
      (error) => this.#log.warn(`A sweep failed and will be tried again: ${String(error)}`),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeps?.stop();
  }

  /** One round. Several processes may run it at once. */
  async sweep(): Promise<void> {
    const due = await this.queue.dueProviders();
    await this.dispatch.dispatch(due.filter((it) => this.cdn.providers.includes(it)));
    if (Date.now() - this.#forgotAt < FORGET_INTERVAL_MS) return;
    this.#forgotAt = Date.now();
    await this.queue.forget(new Date(Date.now() - HISTORY_MS));
  }
}
