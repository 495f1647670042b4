import { type PriorityPool } from '../pool/priority-pool.js';
import { settingsStatement } from '../pool/session-settings.js';
import { type QueryTap } from '../tap/query-tap.js';

/** One statement, by the protocol that takes no second one whatever the text holds. @throws the driver's error */
export type Ask = <R = Readonly<Record<string, unknown>>>(
  text: string,
  values?: readonly unknown[],
) => Promise<readonly R[]>;

export interface OwnStatementLimits {
  /** For each statement, milliseconds. */
  readonly timeoutMs: number;
  /** A busy table is not waited for any longer, milliseconds. @default 100 */
  readonly lockTimeoutMs?: number;
}

const LOCK_TIMEOUT_MS = 100;
/** Who waits for what the library does by itself can wait for the next time, too. */
const ACQUIRE_TIMEOUT_MS = 2_000;

/** What the library does in the database by itself: behind everybody else, within limits, and seen by no observer. */
export class OwnStatements {
  constructor(
    private readonly pool: PriorityPool,
    private readonly tap: QueryTap,
  ) {}

  /** In a read-only transaction that is rolled back. @throws what the work throws, and as the pool's `acquire` */
  read<T>(limits: OwnStatementLimits, work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#run('BEGIN READ ONLY', 'ROLLBACK', limits, work);
  }

  /** In a transaction. @throws as {@link read} */
  write<T>(limits: OwnStatementLimits, work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#run('BEGIN', 'COMMIT', limits, work);
  }

  async #run<T>(
    begin: string,
    end: string,
    { timeoutMs, lockTimeoutMs = LOCK_TIMEOUT_MS }: OwnStatementLimits,
    work: (ask: Ask) => Promise<T>,
  ): Promise<T> {
    using lease = await this.pool.acquire({ priority: 'low', timeoutMs: ACQUIRE_TIMEOUT_MS });
    const { client } = lease;
    const ask = async <R>(text: string, values: readonly unknown[] = []) =>
      (await this.tap.unseen(client, { text, values, queryMode: 'extended' })).rows as readonly R[];
    const limits = settingsStatement(
      { statement_timeout: timeoutMs, lock_timeout: lockTimeoutMs },
      'transaction',
    );
    await ask(begin);
    try {
      if (limits) await ask(limits.text, limits.values);
      const result = await work(ask);
      await ask(end);
      return result;
    } catch (error) {
      // On a lost connection there is nothing to roll back.
      await ask('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}
