import { Injectable, Logger } from '@nestjs/common';
import { type StoreCounts } from '../backend/task-operations.js';
import { ThrottledLog } from '../throttled-log.js';
import { TaskStore } from './task-store.js';

/** A count older than this says nothing about the queue any more. */
const MAX_AGE_MS = 60_000;
/** A scrape asks for a new count when the last is older. */
const SCRAPE_AGE_MS = 2_000;

/** The number of tasks by state. */
@Injectable()
export class QueueCounts {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  #last: { counts: StoreCounts; at: number } | undefined;
  #isCounting = false;

  constructor(private readonly store: TaskStore) {}

  /** @throws {QueueUnavailableError} */
  async now(): Promise<StoreCounts> {
    const counts = await this.store.counts();
    this.#last = { counts, at: performance.now() };
    return counts;
  }

  /** What was counted last, for a scrape that must not wait; counts again behind it when that is old. */
  lastKnown(): StoreCounts | undefined {
    const age = this.#last ? performance.now() - this.#last.at : Infinity;
    if (age > SCRAPE_AGE_MS && !this.#isCounting) void this.#countAgain();
    return age < MAX_AGE_MS ? this.#last?.counts : undefined;
  }

  async #countAgain(): Promise<void> {
    this.#isCounting = true;
    try {
      await this.now();
    } catch (error) {
      this.#log.warn('The tasks could not be counted', error);
    } finally {
      this.#isCounting = false;
    }
  }
}
