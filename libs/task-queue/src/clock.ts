/** A timer of a clock. */
export interface ClockTimer {
  /** Lets the process end before it fires. */
  unref?(): unknown;
}

/** The time that tasks without a store live by. */
export interface TaskClock {
  /** Epoch milliseconds. */
  now(): number;
  /** @param ms at most 2,147,483,647 */
  setTimeout(run: () => void, ms: number): ClockTimer;
  /** Does nothing to a timer that has fired. */
  clearTimeout(timer: ClockTimer | undefined): void;
}

export const systemClock: TaskClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** Waits for any time. @throws the signal's reason */
export async function pauseFor(clock: TaskClock, ms: number, signal?: AbortSignal): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= MAX_TIMER_MS) {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = clock.setTimeout(resolve, Math.min(leftMs, MAX_TIMER_MS));
    const onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
