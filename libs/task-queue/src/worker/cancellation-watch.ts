import { TaskCancelledError } from '../task-queue.errors.js';
import { taskId } from '../definition/task-id.js';
import { type Attempt } from '../execution/attempt.js';
import { type TaskStore } from '../queue/task-store.js';
import { Repeater } from '../repeater.js';
import { type ThrottledLog } from '../throttled-log.js';

/** How soon a running task learns that it is cancelled; one small question a worker, and none while it is idle. */
const INTERVAL_MS = 400;

/**
 * Tells running tasks that they are cancelled. The wish lies with the task in the store, so it is heard wherever the
 * task runs, also after its worker has died; a poll needs no second channel that could be down on its own.
 */
export class CancellationWatch {
  readonly #repeater: Repeater;

  constructor(
    private readonly store: TaskStore,
    private readonly running: () => ReadonlyMap<string, Attempt>,
    log: ThrottledLog,
  ) {
    this.#repeater = new Repeater(
      INTERVAL_MS,
      () => this.#look(),
      (error) => log.warn('Cancellations could not be looked up', error),
    );
  }

  start(): void {
    this.#repeater.start();
  }

  async stop(): Promise<void> {
    await this.#repeater.stop();
  }

  /** The reason when the cancellation of the task has been asked for. @throws {QueueUnavailableError} */
  async reasonFor(jobId: string): Promise<string | undefined> {
    return (await this.store.cancellations([jobId])).get(jobId);
  }

  async #look(): Promise<void> {
    const running = this.running();
    if (running.size === 0) return;
    for (const [jobId, reason] of await this.store.cancellations([...running.keys()])) {
      const attempt = running.get(jobId);
      attempt?.abort(new TaskCancelledError(attempt.definition.name, taskId(jobId), reason));
    }
  }
}
