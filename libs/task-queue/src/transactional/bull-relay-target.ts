import { type NewJob } from '../backend/new-job.js';
import { type JobRelay } from '../backend/queue-backend.js';
import { type NewTask } from '../queue/new-task.js';
import { type Relayed, type RelayTarget } from './joinable-store.js';

/** Takes tasks from an outbox into BullMQ's queue. */
export class BullRelayTarget implements RelayTarget {
  constructor(
    private readonly relay: JobRelay,
    private readonly toJob: (task: NewTask) => NewJob,
  ) {}

  take(rows: readonly Relayed[], isFresh: () => boolean): Promise<void> {
    const jobs = rows.map(({ marker, task }) => ({ marker, job: this.toJob(task) }));
    return this.relay.take(jobs, isFresh);
  }

  settle(markers: readonly string[]): Promise<void> {
    return this.relay.settle(markers);
  }

  close(): Promise<void> {
    return this.relay.close();
  }
}
