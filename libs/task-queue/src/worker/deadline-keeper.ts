import { type TaskDeadlines } from '../queue/task-deadlines.js';
import { type TaskStore } from '../queue/task-store.js';
import { Repeater } from '../repeater.js';
import { type ThrottledLog } from '../throttled-log.js';

const INTERVAL_MS = 2_000;

/**
 * Looks for waiting tasks whose number no task can have by now, and brings them into the present window. Usually
 * there are none, which costs one look at the end of an index.
 */
export class DeadlineKeeper {
  readonly #repeater: Repeater;

  constructor(store: TaskStore, deadlines: TaskDeadlines, log: ThrottledLog) {
    this.#repeater = new Repeater(
      INTERVAL_MS,
      async () => void (await store.rebase(deadlines.rebase(Date.now()))),
      (error) => log.warn('The deadlines of waiting tasks could not be checked', error),
    );
  }

  start(): void {
    this.#repeater.start();
  }

  async stop(): Promise<void> {
    await this.#repeater.stop();
  }
}
