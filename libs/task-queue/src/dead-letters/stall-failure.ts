/** What a task fails with beyond `maxStalledCount`. Filled in by the store, in the step that ends the task. */
export const STALL_FAILURE = 'Too many workers died or lost it: {stalls}, the last was {worker}';

/** What BullMQ itself calls it, where a worker of it was faster. */
const BULLMQ_STALL_FAILURE = 'job stalled more than allowable limit';

const PATTERN = new RegExp(`^${STALL_FAILURE.replace('{stalls}', '\\d+').replace('{worker}', '.*')}$`);

export function isStallFailure(error: string): boolean {
  return error === BULLMQ_STALL_FAILURE || PATTERN.test(error);
}
