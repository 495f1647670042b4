import { type PlannerReport } from './planner-report.js';

const HOUR_MS = 3_600_000;

/** Set aside for one exploration, in the hour that pays for it. */
export interface ExplorationLease {
  readonly hour: Hour;
  readonly worstMs: number;
}

interface Hour {
  readonly number: number;
  totalMs: number;
  spentMs: number;
  reservedMs: number;
}

/**
 * What exploration may cost: a share of all time in each hour. The worst case is set aside beforehand, so that no number of
 * explorations at once costs more than there is. An hour begins without credit.
 */
export class ExplorationBudget {
  #hour: Hour = { number: 0, totalMs: 0, spentMs: 0, reservedMs: 0 };
  #refused = 0;
  #spentMs = 0;

  constructor(
    private readonly share: number,
    private readonly now: () => number,
  ) {}

  /** @param worstMs NaN where nobody knows: that cannot be paid for */
  canPay(worstMs: number): boolean {
    const { spentMs, reservedMs, totalMs } = this.#current();
    const canPay = spentMs + reservedMs + worstMs <= totalMs * this.share;
    if (!canPay) this.#refused++;
    return canPay;
  }

  /** After {@link canPay}. */
  reserve(worstMs: number): ExplorationLease {
    const hour = this.#current();
    hour.reservedMs += worstMs;
    return { hour, worstMs };
  }

  settle({ hour, worstMs }: ExplorationLease, costMs: number): void {
    hour.reservedMs -= worstMs;
    hour.spentMs += costMs;
    this.#spentMs += costMs;
  }

  /** Time of any query. */
  add(ms: number): void {
    this.#current().totalMs += ms;
  }

  report(): PlannerReport['exploration'] {
    const { spentMs, reservedMs, totalMs } = this.#current();
    return {
      hour: { spentMs, reservedMs, allowedMs: totalMs * this.share },
      spentMs: this.#spentMs,
      refused: this.#refused,
    };
  }

  #current(): Hour {
    const number = Math.floor(this.now() / HOUR_MS);
    if (number !== this.#hour.number) this.#hour = { number, totalMs: 0, spentMs: 0, reservedMs: 0 };
    return this.#hour;
  }
}
