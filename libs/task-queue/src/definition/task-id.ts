import { InvalidTaskIdError } from '../task-queue.errors.js';
import { type AnyTaskDefinition } from './task-definition.js';

type Named = Pick<AnyTaskDefinition, 'name'>;

export const TASK_ID = /^[\w.@=+-]{1,200}$/;

/** @throws {InvalidTaskIdError} */
export function assertTaskId(definition: Named, id: string): void {
  if (!TASK_ID.test(id)) throw new InvalidTaskIdError(definition.name);
}

/**
 * The id in the store. All tasks share one queue, so it carries the task's name; that also keeps bare integers and
 * colons away, which BullMQ refuses.
 */
export function jobId(definition: Named, id: string): string {
  return `${definition.name}/${id}`;
}

/** The caller's id back from the store's. */
export function taskId(storedId: string): string {
  return storedId.slice(storedId.indexOf('/') + 1);
}

/** The name of its task. */
export function taskName(storedId: string): string {
  return storedId.slice(0, storedId.indexOf('/'));
}
