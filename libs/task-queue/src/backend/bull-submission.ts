import { type NewJob, toBullJob } from './new-job.js';
import { type StoreQueue } from './queue-backend.js';

/** BullMQ's own way. @returns the ids, another than asked for when deduplicated @throws the driver's error */
export async function addBullJobs(queue: StoreQueue, jobs: readonly NewJob[]): Promise<string[]> {
  const [first, ...others] = jobs.map(toBullJob);
  if (!first) return [];
  const added =
    others.length === 0
      ? [await queue.add(first.name, first.data, first.opts)]
      : await queue.addBulk([first, ...others]);
  return added.map((job) => job.id ?? '');
}
