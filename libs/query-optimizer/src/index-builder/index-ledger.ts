import { type AdvisorClient } from '../advisor/advisor.options.js';
import { formatRelationName } from '../analysis/relation-name.js';
import { problemText } from '../execution/problem-text.js';
import { IndexLedgerEntryError, IndexLedgerUnavailableError } from './index-builder.errors.js';
import { failureOf } from './index-failure.js';
import { type IndexPlan } from './index-plan.js';
import { type TrialMeasurement } from './statement-replay.js';

const LEDGER = 'peregrine_index_ledger';

/**
 * `building` until the process that builds has written how it ended, which one that was killed never does, and while
 * something half built could not be dropped: the next run clears up. `kept`; `dropped` because it did not measure better; `failed`; `reverted` by a person.
 */
export type LedgerStatus = 'building' | 'kept' | 'dropped' | 'failed' | 'reverted';

export interface LedgerEntry {
  readonly id: string;
  /** {@link IndexPlan.id}. */
  readonly recommendation: string;
  readonly plan: IndexPlan;
  readonly status: LedgerStatus;
  /** A sentence: why it was kept or dropped, or what failed. */
  readonly decision: string | null;
  readonly measurements: readonly TrialMeasurement[];
  readonly definition: string | null;
  readonly sizeBytes: number | null;
  readonly buildMs: number | null;
  /** Who asked for it. */
  readonly actor: string;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** What is known when a trial has ended. */
export interface LedgerOutcome extends Partial<
  Pick<LedgerEntry, 'measurements' | 'definition' | 'sizeBytes' | 'buildMs'>
> {
  readonly status: LedgerStatus;
  readonly decision: string;
}

/** For a migration: SQL that makes the ledger. The builder makes it too when it is missing and may be made. */
export function installIndexLedger(schema = 'public'): string[] {
  const ledger = formatRelationName({ schema, name: LEDGER });
  return [
    `CREATE TABLE IF NOT EXISTS ${ledger} (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       recommendation text NOT NULL,
       plan jsonb NOT NULL,
       status text NOT NULL CHECK (status IN ('building', 'kept', 'dropped', 'failed', 'reverted')),
       decision text,
       measurements jsonb NOT NULL DEFAULT '[]',
       definition text,
       size_bytes bigint,
       build_ms double precision,
       actor text NOT NULL,
       started_at timestamptz NOT NULL DEFAULT now(),
       ended_at timestamptz
     )`,
    `COMMENT ON TABLE ${ledger} IS 'Indexes that were built on advice: why, what was measured, whether they stayed'`,
  ];
}

/** The way back; the indexes stay. */
export function removeIndexLedger(schema = 'public'): string[] {
  return [`DROP TABLE IF EXISTS ${formatRelationName({ schema, name: LEDGER })}`];
}

async function orUnavailable<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw new IndexLedgerUnavailableError(failureOf(error), problemText(error), { cause: error });
  }
}

const COLUMNS = `id::text, recommendation, plan, status, decision, measurements, definition,
  size_bytes::float8 AS "sizeBytes", build_ms AS "buildMs", actor, started_at AS "startedAt", ended_at AS "endedAt"`;

/** Every index that was ever built on advice. Only what stands here is ever dropped. */
export class IndexLedger {
  readonly #table: string;

  constructor(
    private readonly client: Pick<AdvisorClient, 'query'>,
    private readonly schema = 'public',
  ) {
    this.#table = formatRelationName({ schema, name: LEDGER });
  }

  async exists(): Promise<boolean> {
    const { rows } = await this.client.query('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [
      this.#table,
    ]);
    return (rows[0] as { isThere: boolean }).isThere;
  }

  /** @throws {IndexLedgerUnavailableError} */
  install(): Promise<void> {
    return orUnavailable(async () => {
      if (await this.exists()) return;
      for (const statement of installIndexLedger(this.schema)) await this.client.query(statement);
    });
  }

  /**
   * Written before the build begins, so that what a killed process leaves behind is found.
   *
   * @param failure why it is over before it began
   * @throws {IndexLedgerUnavailableError}
   */
  begin(plan: IndexPlan, actor: string, failure: string | null = null): Promise<string> {
    return orUnavailable(async () => {
      const { rows } = await this.client.query(
        `INSERT INTO ${this.#table} (recommendation, plan, actor, decision, status, ended_at)
         VALUES ($1, $2, $3, $4::text, CASE WHEN $4::text IS NULL THEN 'building' ELSE 'failed' END,
                 CASE WHEN $4::text IS NULL THEN NULL ELSE now() END)
         RETURNING id::text`,
        [plan.id, JSON.stringify(plan), actor, failure],
      );
      return (rows[0] as { id: string }).id;
    });
  }

  async end(id: string, outcome: LedgerOutcome): Promise<void> {
    const { status, decision, measurements, definition, sizeBytes, buildMs } = outcome;
    await this.client.query(
      `UPDATE ${this.#table} SET status = $2, decision = $3, ended_at = now(),
              measurements = coalesce($4, measurements), definition = coalesce($5, definition),
              size_bytes = coalesce($6, size_bytes), build_ms = coalesce($7, build_ms)
        WHERE id = $1`,
      [
        id,
        status,
        decision,
        measurements === undefined ? null : JSON.stringify(measurements),
        definition ?? null,
        sizeBytes ?? null,
        buildMs ?? null,
      ],
    );
  }

  /** @throws {IndexLedgerEntryError} */
  async entry(id: string): Promise<LedgerEntry> {
    const found = /^\d{1,18}$/.test(id) ? await this.#select('WHERE id = $1', [id]) : [];
    const [entry] = found;
    if (entry === undefined) throw new IndexLedgerEntryError(id, 'does not exist');
    return entry;
  }

  /** Of this index, the newest entry that is not over or was kept. */
  async standing(recommendation: string): Promise<LedgerEntry | undefined> {
    const [entry] = await this.#select(
      `WHERE recommendation = $1 AND status IN ('kept', 'building') ORDER BY id DESC LIMIT 1`,
      [recommendation],
    );
    return entry;
  }

  /** What processes that were killed have left. */
  unfinished(): Promise<readonly LedgerEntry[]> {
    return this.#select(`WHERE status = 'building' ORDER BY id`, []);
  }

  /** The newest first. */
  list(limit = 100): Promise<readonly LedgerEntry[]> {
    return this.#select('ORDER BY id DESC LIMIT $1', [limit]);
  }

  /**
   * What the last 24 hours have spent of a budget, by the server's clock. Every build that was begun counts, since each is work
   * for the server; room is taken by what stayed, if only until it was reverted.
   */
  async spentInADay(): Promise<{ readonly indexes: number; readonly bytes: number }> {
    const { rows } = await this.client.query(
      `SELECT count(*)::int AS indexes,
              coalesce(sum(size_bytes) FILTER (WHERE status IN ('kept', 'reverted')), 0)::float8 AS bytes
         FROM ${this.#table} WHERE started_at > now() - interval '24 hours'`,
    );
    return rows[0] as { indexes: number; bytes: number };
  }

  /** Of each of the recommendations the newest entry. */
  latestOf(recommendations: readonly string[]): Promise<readonly LedgerEntry[]> {
    return this.#select(
      `WHERE id IN (SELECT max(id) FROM ${this.#table} WHERE recommendation = ANY($1) GROUP BY recommendation)`,
      [recommendations],
    );
  }

  /** @throws {IndexLedgerUnavailableError} */
  async #select(condition: string, values: readonly unknown[]): Promise<readonly LedgerEntry[]> {
    const select = `SELECT ${COLUMNS} FROM ${this.#table} ${condition}`;
    const { rows } = await orUnavailable(() => this.client.query(select, values));
    return rows as readonly LedgerEntry[];
  }
}
