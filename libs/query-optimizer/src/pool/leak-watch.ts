import { Logger } from '@nestjs/common';
import { type Loan } from './pooled-connection.js';

/** Names who took a connection and does not give it back. */
export class LeakWatch {
  readonly #logger = new Logger(LeakWatch.name);
  #count = 0;

  /** @param leakAfterMs 0 is never */
  constructor(private readonly leakAfterMs: number) {}

  get count(): number {
    return this.#count;
  }

  /** The stack of who takes a connection now; undefined when nobody watches. */
  here(): Error | undefined {
    return this.leakAfterMs > 0 ? new Error('taken here') : undefined;
  }

  /** Reports a loan once. @param now milliseconds of the monotonic clock */
  check(loan: Loan, now: number): void {
    const heldMs = Math.round(now - loan.since);
    if (this.leakAfterMs === 0 || loan.reported || heldMs < this.leakAfterMs) return;
    loan.reported = true;
    this.#count++;
    this.#logger.warn(
      `A connection was taken ${heldMs} ms ago and is still in use.\n${loan.taken?.stack ?? ''}`,
    );
  }
}
