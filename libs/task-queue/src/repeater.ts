import { type ClockTimer, systemClock, type TaskClock } from './clock.js';

/** Does something again and again, never twice at a time, until it is stopped. */
export class Repeater {
  #timer: ClockTimer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  /**
   * @param intervalMs from the end of one run to the begin of the next
   * @param onError a failed run does not end the repetition
   */
  constructor(
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
    private readonly onError: (error: unknown) => void,
    private readonly clock: TaskClock = systemClock,
  ) {}

  /** The first run begins after one interval. Starting twice changes nothing. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#schedule();
  }

  /** Ends when the present run has. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.clock.setTimeout(() => {
      this.#running = this.work()
        .catch(this.onError)
        .finally(() => this.#schedule());
    }, this.intervalMs);
    this.#timer.unref?.();
  }
}
