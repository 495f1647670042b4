import { setTimeout as sleep } from 'node:timers/promises';

/** How far a drain has come. */
export interface DrainProgress {
  /** Tasks that have ended in this process since the drain began. */
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Of the whole queue. */
  readonly waiting: number;
  readonly running: number;
  /** Retries and what was submitted for later. */
  readonly delayed: number;
  /** Whether the queue is paused: then nothing more is begun until somebody resumes it. */
  readonly isPaused: boolean;
}

export interface DrainOptions {
  /** Delayed tasks that are due within this time from now are waited for, milliseconds. @default 60,000 */
  readonly delayedWithinMs?: number;
  /** Ends the wait; the tasks go on. */
  readonly signal?: AbortSignal;
  /** Called about four times a second. */
  readonly onProgress?: (progress: DrainProgress) => void;
}

/** What there is to do, and when the first delayed task is due. */
export interface DrainLook {
  readonly progress: DrainProgress;
  /** Epoch milliseconds; `null`: nothing is delayed. */
  readonly dueAtMs: number | null;
  /** Tasks of committed transactions are, or were just now, on their way to the store. */
  readonly isRelaying: boolean;
}

const LOOK_INTERVAL_MS = 250;
const DELAYED_WITHIN_MS = 60_000;

/** Looks until there is nothing left to do. @throws what a look throws @throws the signal's reason */
export async function untilDrained(
  look: () => Promise<DrainLook>,
  { delayedWithinMs = DELAYED_WITHIN_MS, signal, onProgress }: DrainOptions,
): Promise<DrainProgress> {
  for (;;) {
    signal?.throwIfAborted();
    const { progress, dueAtMs, isRelaying } = await look();
    onProgress?.(progress);
    const isDueSoon = dueAtMs !== null && dueAtMs - Date.now() <= delayedWithinMs;
    if (progress.waiting + progress.running === 0 && !isDueSoon && !isRelaying) return progress;
    // Whether it was the signal, the next round sees.
    await sleep(LOOK_INTERVAL_MS, undefined, signal && { signal }).catch(() => undefined);
  }
}
