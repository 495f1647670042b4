import { setTimeout as sleep } from 'node:timers/promises';

/** Steps a second that a rate is divided into, so that the tasks do not come in one heap. */
const STEPS_PER_SECOND = 10;

/** Lets work pass at a rate. */
export class Pace {
  /** How much may pass at once. */
  readonly step: number;
  readonly #startedAt = performance.now();
  #done = 0;

  /** @param ratePerSecond `undefined`: as fast as it goes */
  constructor(
    private readonly ratePerSecond: number | undefined,
    maxStep: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    const share = ratePerSecond === undefined ? maxStep : Math.floor(ratePerSecond / STEPS_PER_SECOND);
    this.step = Math.min(Math.max(share, 1), maxStep);
  }

  /** Ends when the next step may begin. @throws the signal's reason */
  async turn(): Promise<void> {
    this.signal?.throwIfAborted();
    if (this.ratePerSecond === undefined || this.#done === 0) return;
    const waitMs = this.#startedAt + (this.#done / this.ratePerSecond) * 1_000 - performance.now();
    if (waitMs <= 0) return;
    // Ends early when the signal aborts.
    await sleep(waitMs, undefined, this.signal && { signal: this.signal }).catch(() => undefined);
    this.signal?.throwIfAborted();
  }

  done(count: number): void {
    this.#done += count;
  }
}
