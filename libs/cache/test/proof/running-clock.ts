import type { CacheClock, ClockTimer } from '../../src/clock.js';

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** The machine's clock, which also jumps ahead: deadlines towards a real Redis still pass by themselves. */
export class RunningClock implements CacheClock {
  #aheadMs = 0;
  readonly #timers = new Set<Timer>();

  readonly now = (): number => performance.now() + this.#aheadMs;

  readonly setTimeout = (run: () => void, ms: number): ClockTimer => {
    const timer: Timer = { dueAt: this.now() + ms, run, handle: undefined };
    this.#timers.add(timer);
    timer.handle = setTimeout(() => this.#fire(timer), Math.min(ms, 2 ** 31 - 1)).unref();
    return timer;
  };

  readonly clearTimeout = (timer: ClockTimer): void => {
    clearTimeout((timer as Timer).handle);
    this.#timers.delete(timer as Timer);
  };

  advance(ms: number): void {
    this.#aheadMs += ms;
    for (const timer of [...this.#timers]) if (timer.dueAt <= this.now()) this.#fire(timer);
  }

  #fire(timer: Timer): void {
    clearTimeout(timer.handle);
    if (this.#timers.delete(timer)) timer.run();
  }
}
