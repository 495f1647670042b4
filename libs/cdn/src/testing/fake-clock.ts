import { type CdnClock, type ClockTimer } from '../clock.js';

interface FakeTimer extends ClockTimer {
  readonly at: number;
  readonly run: () => void;
}

/** A time that goes on only when it is told to. */
export class FakeClock implements CdnClock {
  readonly #timers = new Set<FakeTimer>();
  #now = 1_000_000;

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): ClockTimer {
    const timer: FakeTimer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: ClockTimer | undefined): void {
    this.#timers.delete(timer as FakeTimer);
  }

  /** Goes on, fires every timer at its time, and lets what it set off come to rest before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = until;
  }

  #next(until: number): FakeTimer | undefined {
    const due = [...this.#timers].filter((it) => it.at <= until);
    return due.sort((a, b) => a.at - b.at)[0];
  }
}

/** Nothing under test waits for anything but promises, so a few turns of the loop are enough. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
