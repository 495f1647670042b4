/** A timer that was set; give it back to `clearTimeout` of the clock that made it. */
export type ClockTimer = object;

/**
 * The time by which the cache lives: its ages, its deadlines and its timers. Monotonic: it never goes back, and its zero
 * means nothing, so that its values compare with those of the same clock only.
 */
export interface CacheClock {
  /** Milliseconds, with fractions. */
  now(): number;
  /** Calls `run` once, `ms` from now. Must not keep the process alive. */
  setTimeout(run: () => void, ms: number): ClockTimer;
  /** Does nothing to a timer that has fired or was cleared. */
  clearTimeout(timer: ClockTimer): void;
}

/** The longest wait that a Node timer takes, milliseconds (24.8 days); it fires at once above. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine; setting the wall clock does not move it. Its timers do not keep the process alive. */
export const systemClock: CacheClock = {
  now: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, Math.min(ms, LONGEST_TIMER_MS)).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
