import type pg from 'pg';
import { MARK_MS, RelayStaleError, SETTLED_MARK_MS } from '../transactional/joinable-store.js';
import { PgTransactions } from '../transactional/pg-transactions.js';
import { type JobJoin, type JobRelay, type RelayedJob } from './queue-backend.js';
import { SingleFlight } from './single-flight.js';

/** Any number that other users of advisory locks in the database are not likely to take. */
const LOCK = 7_061_402_196;

const INSTALL = `
CREATE TABLE IF NOT EXISTS peregrine_relayed (
  marker text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS peregrine_relayed_expires_at_idx ON peregrine_relayed (expires_at)`;

/** Waits for whoever is about to mark the same, and takes no mark that is there. */
const MARK = `
INSERT INTO peregrine_relayed (marker, expires_at)
SELECT marker, now() + make_interval(secs => $2) FROM unnest($1::text[]) AS marker ORDER BY marker
ON CONFLICT DO NOTHING RETURNING marker`;

const SETTLE = `
WITH expired AS (DELETE FROM peregrine_relayed WHERE expires_at < now())
UPDATE peregrine_relayed SET expires_at = now() + make_interval(secs => $2) WHERE marker = ANY($1::text[])`;

/** Takes in what comes from the outbox of another database. */
export class PostgresRelay implements JobRelay {
  readonly #installed = new SingleFlight<void>();

  /** @param pool its search path is the schema of BullMQ's tables, which exist */
  constructor(
    private readonly pool: () => Promise<pg.Pool>,
    private readonly join: JobJoin,
  ) {}

  async take(rows: readonly RelayedJob[], isFresh: () => boolean): Promise<void> {
    await this.#installed.get(() => this.#install());
    await new PgTransactions(await this.pool()).run(async (client) => {
      const { rows: marked } = await client.query<{ marker: string }>(MARK, [
        rows.map((it) => it.marker),
        MARK_MS / 1_000,
      ]);
      if (!isFresh()) throw new RelayStaleError();
      const isNew = new Set(marked.map((it) => it.marker));
      await this.join.add(
        client,
        rows.filter((it) => isNew.has(it.marker)).map((it) => it.job),
      );
    });
  }

  async settle(markers: readonly string[]): Promise<void> {
    await (await this.pool()).query(SETTLE, [markers, SETTLED_MARK_MS / 1_000]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #install(): Promise<void> {
    await new PgTransactions(await this.pool()).run(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      await client.query(INSTALL);
    });
  }
}
