import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** @returns a phrase that says how a process ended; resolves after its last output, never rejects */
export function whenClosed(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

/** @returns false when `event` did not come within `timeoutMs`, or before `signal` was aborted */
export async function comesWithin(
  event: Promise<unknown>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const timer = new AbortController();
  const giveUp = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  const overdue = delay(timeoutMs, false, { signal: giveUp }).catch(() => false);
  const inTime = await Promise.race([event.then(() => true), overdue]);
  timer.abort();
  return inTime;
}
