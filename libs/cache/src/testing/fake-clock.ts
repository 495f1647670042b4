import type { CacheClock, ClockTimer } from '../clock.js';

interface Timer {
  readonly at: number;
  /** Order in which timers were set; decides between those of one moment. */
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the event loop after each timer, for what the timer has set in motion. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A clock that stands still until it is told to advance. Give it to `createCache(options, { clock })`, and a value with an
 * hour to live expires without a wait.
 */
export class FakeClock implements CacheClock {
  #now: number;
  #orders = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs where it starts, milliseconds; not 0, so that a mistaken "0 means never" shows. */
  constructor(startMs = 1_000_000) {
    this.#now = startMs;
  }

  // Arrow functions: `clock.now` can be handed on alone where a bare `() => number` is asked for.
  /** Milliseconds. */
  readonly now = (): number => this.#now;

  readonly setTimeout = (run: () => void, ms: number): ClockTimer => {
    const timer: Timer = { at: this.#now + Math.max(ms, 0), order: this.#orders++, run };
    this.#timers.add(timer);
    return timer;
  };

  readonly clearTimeout = (timer: ClockTimer): void => {
    this.#timers.delete(timer as Timer);
  };

  /** Timers that have not fired yet. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Moves on by `ms` and fires what falls due on the way, each timer at its own moment, in their order; also those that they
   * set. Synchronous: what the timers only promise happens later, see {@link advanceAsync}.
   * @throws {RangeError} for a step back, or no number.
   */
  advance(ms: number): void {
    const end = this.#end(ms);
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) this.#fire(timer);
    this.#now = end;
  }

  /** The same, and lets promises and I/O have a turn before, between and after the timers. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#end(ms);
    await settle();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#fire(timer);
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #end(ms: number): number {
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`A monotonic clock can not advance by ${ms} ms`);
    return this.#now + ms;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      const sooner =
        next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order);
      if (timer.at <= end && sooner) next = timer;
    }
    return next;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.run();
  }
}
