import { type ClockTimer, type TaskClock } from '../clock.js';

interface FakeTimer extends ClockTimer {
  readonly at: number;
  readonly run: () => void;
}

/** A time that goes on only when it is told to. */
export class FakeClock implements TaskClock {
  #timers: FakeTimer[] = [];
  #now: number;

  constructor(start: Date = new Date()) {
    this.#now = start.getTime();
  }

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): ClockTimer {
    const timer: FakeTimer = { at: this.#now + Math.max(0, ms), run };
    // Behind those of the same time.
    const behind = this.#timers.findIndex((it) => it.at > timer.at);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, timer);
    return timer;
  }

  clearTimeout(timer: ClockTimer | undefined): void {
    this.#timers = this.#timers.filter((it) => it !== timer);
  }

  /**
   * Goes on, and fires every timer at its time.
   *
   * @param settle awaited before and after each, so that what it set off may set its own timers
   */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#timers[0]; next && next.at <= until; next = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = until;
  }
}
