import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError, TaskNotFinishedError, TaskWaitTimeoutError } from '../task-queue.errors.js';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 500;

/**
 * Asks for the result of a task at growing intervals of up to half a second, and outlives outages of the store.
 *
 * @throws {TaskWaitTimeoutError}
 * @throws what `ask` does, once the task has ended
 * @throws the signal's reason
 */
export async function waitForResult<R>(
  task: string,
  id: string,
  { timeoutMs, signal }: WaitOptions,
  ask: () => Promise<R>,
): Promise<R> {
  const deadline = performance.now() + timeoutMs;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS)) {
    signal?.throwIfAborted();
    let cause: unknown;
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TaskNotFinishedError || error instanceof QueueUnavailableError)) throw error;
      cause = error;
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new TaskWaitTimeoutError(task, id, timeoutMs, { cause });
    await pause(Math.min(pollMs, leftMs), signal);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}
