import { Injectable, Logger } from '@nestjs/common';
import { type PurgeDispatch } from '@peregrine/cdn';
import { QueueUnavailableError, TaskQueue } from '@peregrine/task-queue';
import { deliverPurges } from './purge.tasks.js';

/** Calls that come within this time share a delivery, milliseconds: purges are cheaper together. */
const ROUND_MS = 250;

/**
 * Has workers deliver. The task's id is the provider and the time, rounded up, so that however many ask, one delivery
 * runs for each moment; in a transaction it is submitted when that commits.
 */
@Injectable()
export class TaskPurgeDispatch implements PurgeDispatch {
  readonly #log = new Logger('CdnPurges');

  constructor(private readonly tasks: TaskQueue) {}

  async dispatch(providers: readonly string[]): Promise<void> {
    await Promise.all(providers.map((it) => this.schedule(it, 0)));
  }

  /** A delivery in so many milliseconds, a quarter of a second more at most. */
  async schedule(provider: string, delayMs: number): Promise<void> {
    const now = Date.now();
    const atMs = Math.ceil((now + delayMs + 1) / ROUND_MS) * ROUND_MS;
    try {
      await this.tasks.submit(
        deliverPurges,
        { provider },
        { id: `${provider}@${atMs}`, delayMs: atMs - now },
      );
    } catch (error) {
      if (!(error instanceof QueueUnavailableError)) throw error;
      // The rows are there, and the worker's sweep finds them.
      this.#log.warn(`Purges for ${provider} wait for the task queue: ${error.message}`);
    }
  }
}
