import { type NewJob } from '../backend/new-job.js';
import { type JobJoin } from '../backend/queue-backend.js';
import { taskId } from '../definition/task-id.js';
import { type NewTask } from '../queue/new-task.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { type Claim, type JoinableStore } from './joinable-store.js';
import { type QueryClient } from './transaction-source.js';

const TASKS_PER_CALL = 1_000;

/** Puts tasks into BullMQ's queue within a transaction of the caller's. */
export class BullJoinableStore implements JoinableStore {
  constructor(
    private readonly join: JobJoin,
    private readonly toJob: (task: NewTask) => NewJob,
    private readonly options: TaskQueueOptions,
  ) {}

  isOn(client: QueryClient): Promise<boolean> {
    return this.join.isOn(client);
  }

  async add(client: QueryClient, tasks: readonly NewTask[]): Promise<string[]> {
    const ids: string[] = [];
    for (let start = 0; start < tasks.length; start += TASKS_PER_CALL) {
      const jobs = tasks.slice(start, start + TASKS_PER_CALL).map((task) => this.toJob(task));
      ids.push(...(await this.join.add(client, jobs)).map(taskId));
    }
    return ids;
  }

  complete(client: QueryClient, claim: Claim, result: string): Promise<void> {
    const keepAgeS = Math.ceil(this.options.retention.completed.ageMs / 1_000);
    return this.join.complete(client, claim, result, keepAgeS);
  }
}
