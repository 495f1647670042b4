import { InvalidPayloadError, PermanentTaskError } from '../task-queue.errors.js';

/** Whether another attempt would end the same way. */
export function isPermanent(error: unknown): boolean {
  return error instanceof PermanentTaskError || error instanceof InvalidPayloadError;
}
