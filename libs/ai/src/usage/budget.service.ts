import { type DataSource } from 'typeorm';
import { randomUUID } from 'node:crypto';
import { AiBudgetExceededError, AiUnpricedModelError } from '../ai.errors.js';
import { dayOf, NANO, type PriceTable } from './price-table.js';
import { type Spending, type Spent } from './spending.js';
import { type TokenUsage } from './usage-event.js';

const DAY_MS = 86_400_000;
/** No call takes longer; what a process that died has reserved is free again then. */
const RESERVED_FOR_SECONDS = 1_800;

export interface BudgetOptions {
  /** US dollars a day, UTC, of all processes together. Undefined: none. */
  readonly dailyBudgetUsd: number | undefined;
}

/** Counters of this process. */
export interface SpendingCounters {
  spentNanoUsd: number;
  unpricedCalls: number;
  refusedCalls: number;
  suspectUsages: number;
}

/**
 * The budget of the cluster: a row a day in PostgreSQL. A call reserves what it may cost before it is made, in one statement that
 * refuses when the day's row would go over, so that any number of processes together never start what the budget does not cover; after it
 * the reservation becomes what it did cost. Without a budget nothing is reserved.
 */
export class BudgetService implements Spending {
  readonly counters: SpendingCounters = {
    spentNanoUsd: 0,
    unpricedCalls: 0,
    refusedCalls: 0,
    suspectUsages: 0,
  };

  constructor(
    private readonly dataSource: DataSource,
    private readonly prices: PriceTable,
    private readonly options: BudgetOptions,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async spend<T>(model: string, estimate: TokenUsage, call: () => Promise<Spent<T>>): Promise<Spent<T>> {
    const reservation = await this.#reserve(model, estimate);
    let spentNanoUsd = 0;
    try {
      const spent = await call();
      const { usage } = spent;
      const cost = this.prices.cost(model, usage, dayOf(this.now()));
      spentNanoUsd = cost ?? 0;
      this.counters.spentNanoUsd += spentNanoUsd;
      if (cost === undefined) this.counters.unpricedCalls++;
      if (usage.suspect) this.counters.suspectUsages++;
      return spent;
    } finally {
      if (reservation) await this.#settle(reservation, spentNanoUsd);
    }
  }

  /** @returns undefined without a budget */
  async #reserve(model: string, estimate: TokenUsage): Promise<Reservation | undefined> {
    const { dailyBudgetUsd } = this.options;
    if (dailyBudgetUsd === undefined) return undefined;
    const day = dayOf(this.now());
    const nanoUsd = this.prices.cost(model, estimate, day);
    if (nanoUsd === undefined) throw new AiUnpricedModelError(model);
    const reservation = { id: randomUUID(), day, nanoUsd };
    const limit = Math.floor(dailyBudgetUsd * NANO);
    if (await this.#take(reservation, limit)) return reservation;
    // What died with its process may be in the way.
    await this.#freeExpired();
    if (await this.#take(reservation, limit)) return reservation;
    this.counters.refusedCalls++;
    throw new AiBudgetExceededError(dailyBudgetUsd, DAY_MS - (this.now().getTime() % DAY_MS));
  }

  /** The condition is looked at on the latest version of the row, locked: two that come together cannot both have the rest. */
  async #take({ id, day, nanoUsd }: Reservation, limit: number): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `WITH taken AS (
         INSERT INTO ai_budget_days AS d (day, reserved_nano_usd)
         SELECT $2::date, $3::bigint WHERE $3::bigint <= $4::bigint
         ON CONFLICT (day) DO UPDATE SET reserved_nano_usd = d.reserved_nano_usd + excluded.reserved_nano_usd
          WHERE d.spent_nano_usd + d.reserved_nano_usd + excluded.reserved_nano_usd <= $4::bigint
         RETURNING day)
       INSERT INTO ai_budget_reservations (id, day, nano_usd, expires_at)
       SELECT $1, day, $3, now() + make_interval(secs => $5) FROM taken RETURNING id`,
      [id, day, nanoUsd, limit, RESERVED_FOR_SECONDS],
    );
    return rows.length > 0;
  }

  /** What was spent counts even if the reservation has expired meanwhile. */
  async #settle({ id, day }: Reservation, spentNanoUsd: number): Promise<void> {
    await this.dataSource.query(
      `WITH gone AS (DELETE FROM ai_budget_reservations WHERE id = $1 RETURNING nano_usd)
       UPDATE ai_budget_days
          SET spent_nano_usd = spent_nano_usd + $3::bigint,
              reserved_nano_usd = reserved_nano_usd - coalesce((SELECT nano_usd FROM gone), 0)
        WHERE day = $2`,
      [id, day, spentNanoUsd],
    );
  }

  async #freeExpired(): Promise<void> {
    await this.dataSource.query(
      `WITH gone AS (DELETE FROM ai_budget_reservations WHERE expires_at < now() RETURNING day, nano_usd),
            sums AS (SELECT day, sum(nano_usd)::bigint AS nano_usd FROM gone GROUP BY day)
       UPDATE ai_budget_days d SET reserved_nano_usd = d.reserved_nano_usd - sums.nano_usd
         FROM sums WHERE d.day = sums.day`,
    );
  }
}

interface Reservation {
  readonly id: string;
  readonly day: string;
  readonly nanoUsd: number;
}
