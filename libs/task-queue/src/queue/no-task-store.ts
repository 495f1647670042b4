import {
  type CancelOutcome,
  type QueueTotalCounts,
  type StoreCounts,
  TOTALS,
} from '../backend/task-operations.js';
import { QueueUnavailableError } from '../task-queue.errors.js';
import { type QueueHead, TaskStore } from './task-store.js';

/** Where all tasks run inline: there is nothing to find. Schedules live as long as the process. */
export class NoTaskStore extends TaskStore {
  readonly deadLetters = null;
  readonly joinable = null;
  #totals = Object.fromEntries(TOTALS.map((it) => [it, 0])) as QueueTotalCounts;
  readonly #schedules = new Map<string, string>();

  openRelay(): null {
    return null;
  }

  add(): Promise<string> {
    return Promise.reject(new QueueUnavailableError('submit'));
  }

  addMany(tasks: readonly unknown[]): Promise<string[]> {
    return tasks.length === 0
      ? Promise.resolve([])
      : Promise.reject(new QueueUnavailableError('submitBatch'));
  }

  find(): Promise<null> {
    return Promise.resolve(null);
  }

  inspect(): Promise<null> {
    return Promise.resolve(null);
  }

  cancel(_definition: unknown, ids: readonly string[]): Promise<CancelOutcome[]> {
    return Promise.resolve(ids.map(() => 'not-found'));
  }

  cancellations(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  counts(): Promise<StoreCounts> {
    return Promise.resolve({ waiting: 0, delayed: 0, running: 0, completed: 0, failed: 0 });
  }

  addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts> {
    this.#totals = Object.fromEntries(
      TOTALS.map((it) => [it, this.#totals[it] + added[it]]),
    ) as QueueTotalCounts;
    return Promise.resolve(this.#totals);
  }

  head(): Promise<QueueHead> {
    return Promise.resolve({ number: null, dueAtMs: null, isPaused: false });
  }

  trim(): Promise<void> {
    return Promise.resolve();
  }

  rebase(): Promise<number> {
    return Promise.resolve(0);
  }

  tidy(): Promise<void> {
    return Promise.resolve();
  }

  schedules(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#schedules));
  }

  swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean> {
    if ((this.#schedules.get(name) ?? null) !== expected) return Promise.resolve(false);
    if (next === null) this.#schedules.delete(name);
    else this.#schedules.set(name, next);
    return Promise.resolve(true);
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  onApplicationShutdown(): Promise<void> {
    return Promise.resolve();
  }
}
