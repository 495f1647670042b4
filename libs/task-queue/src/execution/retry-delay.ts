import { DEFAULT_RETRY_DELAY_MS } from '../definition/define-task.js';
import { type TaskBackoff } from '../definition/task-definition.js';

/**
 * Milliseconds before the next attempt, always whole: PostgreSQL refuses a fraction and would leave the task running.
 *
 * @param failedAttempts from 1
 * @param error of the last attempt
 * @param random 0 to below 1
 */
export function retryDelayMs(
  backoff: TaskBackoff,
  failedAttempts: number,
  error: Error,
  random = Math.random(),
): number {
  const delayMs = Math.min(fullDelayMs(backoff, failedAttempts, error), backoff.maxDelayMs);
  return Math.floor(delayMs * (1 - backoff.jitter * random));
}

function fullDelayMs(backoff: TaskBackoff, failedAttempts: number, error: Error): number {
  switch (backoff.type) {
    case 'fixed':
      return backoff.delayMs;
    case 'exponential':
      return backoff.delayMs * 2 ** (failedAttempts - 1);
    case 'custom':
      return customDelayMs(backoff.delayMs, failedAttempts, error);
  }
}

/** The caller's function must not be able to leave a task behind. */
function customDelayMs(
  delayMs: (failedAttempts: number, error: Error) => number,
  failedAttempts: number,
  error: Error,
): number {
  try {
    const asked: unknown = delayMs(failedAttempts, error);
    return typeof asked === 'number' && asked > 0 ? asked : 0;
  } catch {
    return DEFAULT_RETRY_DELAY_MS;
  }
}
