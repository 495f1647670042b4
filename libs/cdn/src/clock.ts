/** A timer of a clock. */
export interface ClockTimer {
  /** Lets the process end before it fires. */
  unref?(): unknown;
}

/** The time that purges live by. Tests bring another. */
export interface CdnClock {
  /** Epoch milliseconds. */
  now(): number;
  setTimeout(run: () => void, ms: number): ClockTimer;
  /** Does nothing to a timer that has fired. */
  clearTimeout(timer: ClockTimer | undefined): void;
}

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: CdnClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, Math.min(ms, MAX_TIMER_MS)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** Waits. @throws the signal's reason */
export async function pauseFor(clock: CdnClock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = clock.setTimeout(resolve, ms);
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
