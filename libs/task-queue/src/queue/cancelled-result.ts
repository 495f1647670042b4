import { storableText } from '../execution/storable-text.js';

/** Results are JSON text, which never begins like this. */
const PREFIX = 'cancelled: ';
const MAX_REASON = 1_000;

/**
 * What lies in the store as the result of a cancelled task. To BullMQ such a task has completed: so it is kept, found
 * and removed like any other, its id stays taken, and it never counts as a failure.
 */
export function cancelledResult(reason: string): string {
  return PREFIX + storableReason(reason);
}

/** A reason as both stores take it. */
export function storableReason(reason: string): string {
  return storableText(reason, MAX_REASON);
}

/** `undefined`: the task was not cancelled. */
export function cancelReasonOf(result: string | undefined): string | undefined {
  return result?.startsWith(PREFIX) ? result.slice(PREFIX.length) : undefined;
}
