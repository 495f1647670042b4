import { type StoreJob } from '../backend/queue-backend.js';
import { type AttemptReporter } from '../execution/attempt.js';
import { type TaskProgress } from '../definition/task-executor.js';
import { type ThrottledLog } from '../throttled-log.js';

/** Writes progress and log lines to the store. Best effort: a handler does not fail because telling failed. */
export class JobReporter implements AttemptReporter {
  constructor(
    private readonly job: StoreJob,
    private readonly warnings: ThrottledLog,
  ) {}

  async progress(value: TaskProgress): Promise<void> {
    await this.#attempt(() => this.job.updateProgress(JSON.stringify(value)));
  }

  async log(line: string): Promise<void> {
    await this.#attempt(() => this.job.log(line));
  }

  async #attempt(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.warnings.warn('Progress or a log line of a task could not be stored', error);
    }
  }
}
