import { randomUUID } from 'node:crypto';
import { type Ask, type OwnStatements } from '../execution/own-statements.js';
import { type HistoryTables, historyTables, installSlowQueryHistory } from './history-tables.js';
import { type PlanRecord } from './plan-history.js';
import { type StatementTotals } from './statement-totals.js';

export interface RememberedStatement extends StatementTotals {
  readonly fingerprint: string;
  readonly sql: string;
  readonly kind: string;
  readonly lastSlowAt: Date | null;
}

export interface RememberedPlan extends PlanRecord {
  readonly fingerprint: string;
}

export interface Remembered {
  readonly statements: readonly RememberedStatement[];
  readonly plans: readonly RememberedPlan[];
}

export interface SlowQueryHistoryInput {
  readonly own: OwnStatements;
  readonly schema: string;
  readonly retentionDays: number;
  readonly maxStatements: number;
}

/** What all processes have counted of one statement in one hour. */
export interface SlowQueryHour {
  /** Its beginning. */
  readonly hour: Date;
  readonly calls: number;
  readonly slowCalls: number;
  readonly errors: number;
  readonly rows: number;
  /** Of all calls together, milliseconds. */
  readonly totalMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
}

interface StatementRow extends Omit<RememberedStatement, 'latency'> {
  readonly latency: Readonly<Record<string, number>>;
}

const TIMEOUT_MS = 5_000;
const HOUR_MS = 3_600_000;

/** The hour that a moment is in. */
export function hourOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
}

/** Slow statements and their plans in tables of the database. Several processes write; each reads what all have written. */
export class SlowQueryHistory {
  readonly #tables: HistoryTables;
  readonly #process = randomUUID();
  #prunedAt = -Infinity;

  constructor(private readonly input: SlowQueryHistoryInput) {
    this.#tables = historyTables(input.schema);
  }

  /** @throws the driver's error: no right to create, a read-only server */
  async install(): Promise<void> {
    if (await this.exists()) return;
    await this.input.own.write({ timeoutMs: TIMEOUT_MS }, async (ask) => {
      // Two processes that begin together would collide in the catalogue.
      await ask('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [this.#tables.statements]);
      for (const sql of installSlowQueryHistory(this.input.schema)) await ask(sql);
    });
  }

  exists(): Promise<boolean> {
    const { statements, plans } = this.#tables;
    return this.input.own.read({ timeoutMs: TIMEOUT_MS }, async (ask) => {
      // The column that came last.
      const [row] = await ask<{ exists: boolean }>(
        `SELECT to_regclass($1) IS NOT NULL AND EXISTS (
           SELECT FROM pg_attribute WHERE attrelid = to_regclass($2) AND attname = 'node_costs' AND NOT attisdropped) AS exists`,
        [statements, plans],
      );
      return row?.exists === true;
    });
  }

  /** What was slow since the time of retention began, most time first. @throws the driver's error */
  load(): Promise<Remembered> {
    const { maxStatements, own } = this.input;
    return own.read({ timeoutMs: TIMEOUT_MS }, async (ask) => {
      const statements = await this.#statements(ask, maxStatements);
      const plans = await ask<RememberedPlan>(
        `SELECT fingerprint, hash, outline, is_generic AS "isGeneric", first_seen_at AS "firstSeenAt",
                last_seen_at AS "lastSeenAt", samples::float8 AS samples, total_cost AS "totalCost",
                node_costs AS "nodeCosts", mean_ms AS "meanMs", buffers
         FROM ${this.#tables.plans} WHERE fingerprint = ANY($1) ORDER BY last_seen_at`,
        [statements.map((it) => it.fingerprint)],
      );
      return { statements, plans };
    });
  }

  /** Of one statement, the latest hour first. @throws the driver's error */
  hours(fingerprint: string): Promise<readonly SlowQueryHour[]> {
    const { retentionDays, own } = this.input;
    return own.read({ timeoutMs: TIMEOUT_MS }, (ask) =>
      ask<SlowQueryHour>(
        `SELECT hour, sum(calls)::float8 AS calls, sum(slow_calls)::float8 AS "slowCalls", sum(errors)::float8 AS errors,
                sum(rows)::float8 AS rows, sum(total_ms) AS "totalMs",
                sum(total_ms) / greatest(sum(calls), 1)::float8 AS "meanMs", max(max_ms) AS "maxMs"
         FROM ${this.#tables.statements} WHERE fingerprint = $1 AND hour >= now() - make_interval(days => $2)
         GROUP BY hour ORDER BY hour DESC`,
        [fingerprint, retentionDays],
      ),
    );
  }

  /**
   * @param hour of the totals, which replace what this process has written for it before
   * @throws the driver's error; to try again does no harm
   */
  async save(hour: Date, statements: readonly RememberedStatement[], plans: readonly RememberedPlan[]) {
    await this.input.own.write({ timeoutMs: TIMEOUT_MS }, async (ask) => {
      if (statements.length > 0) await this.#saveStatements(ask, hour, statements);
      if (plans.length > 0) await this.#savePlans(ask, plans);
      await this.#prune(ask);
    });
  }

  async #statements(ask: Ask, limit: number): Promise<RememberedStatement[]> {
    const rows = await ask<StatementRow>(
      `WITH kept AS (
         SELECT * FROM ${this.#tables.statements} WHERE hour >= now() - make_interval(days => $1)
       ), latency AS (
         SELECT fingerprint, jsonb_object_agg(bucket, runs) AS latency FROM (
           SELECT fingerprint, bucket, sum(runs::float8) AS runs
           FROM kept, jsonb_each_text(latency) AS l(bucket, runs) GROUP BY fingerprint, bucket) AS b
         GROUP BY fingerprint
       )
       SELECT fingerprint, min(sql) AS sql, min(kind) AS kind, sum(calls)::float8 AS calls,
              sum(slow_calls)::float8 AS "slowCalls", sum(errors)::float8 AS errors, sum(rows)::float8 AS rows,
              sum(total_ms) AS "totalMs", max(max_ms) AS "maxMs", max(last_slow_at) AS "lastSlowAt", l.latency
       FROM kept JOIN latency l USING (fingerprint)
       GROUP BY fingerprint, l.latency ORDER BY sum(total_ms) DESC LIMIT $2`,
      [this.input.retentionDays, limit],
    );
    return rows.map((row) => ({
      ...row,
      latency: new Map(Object.entries(row.latency).map(([index, count]) => [Number(index), count])),
    }));
  }

  async #saveStatements(ask: Ask, hour: Date, statements: readonly RememberedStatement[]): Promise<void> {
    const rows = statements.map((it) => ({ ...it, latency: Object.fromEntries(it.latency) }));
    await ask(
      `INSERT INTO ${this.#tables.statements} AS h (hour, fingerprint, process, sql, kind, calls, slow_calls, errors, rows,
         total_ms, max_ms, latency, last_slow_at)
       SELECT $1, fingerprint, $2, sql, kind, calls, "slowCalls", errors, rows, "totalMs", "maxMs", latency, "lastSlowAt"
       FROM jsonb_to_recordset($3::jsonb) AS r (fingerprint text, sql text, kind text, calls bigint,
         "slowCalls" bigint, errors bigint, rows bigint, "totalMs" float8, "maxMs" float8, latency jsonb,
         "lastSlowAt" timestamptz)
       ON CONFLICT (hour, fingerprint, process) DO UPDATE SET calls = excluded.calls, slow_calls = excluded.slow_calls,
         errors = excluded.errors, rows = excluded.rows, total_ms = excluded.total_ms, max_ms = excluded.max_ms,
         latency = excluded.latency, last_slow_at = excluded.last_slow_at`,
      [hour, this.#process, JSON.stringify(rows)],
    );
  }

  async #savePlans(ask: Ask, plans: readonly RememberedPlan[]): Promise<void> {
    await ask(
      `INSERT INTO ${this.#tables.plans} AS h (fingerprint, hash, outline, is_generic, first_seen_at, last_seen_at, samples,
         total_cost, node_costs, mean_ms, buffers)
       SELECT fingerprint, hash, outline, "isGeneric", "firstSeenAt", "lastSeenAt", samples, "totalCost",
         nullif("nodeCosts", 'null'::jsonb), "meanMs", nullif(buffers, 'null'::jsonb)
       FROM jsonb_to_recordset($1::jsonb) AS r (fingerprint text, hash text, outline text, "isGeneric" boolean,
         "firstSeenAt" timestamptz, "lastSeenAt" timestamptz, samples bigint, "totalCost" float8, "nodeCosts" jsonb,
         "meanMs" float8, buffers jsonb)
       ORDER BY fingerprint, hash
       ON CONFLICT (fingerprint, hash) DO UPDATE SET first_seen_at = least(h.first_seen_at, excluded.first_seen_at),
         last_seen_at = greatest(h.last_seen_at, excluded.last_seen_at), samples = greatest(h.samples, excluded.samples),
         total_cost = excluded.total_cost, node_costs = coalesce(excluded.node_costs, h.node_costs), mean_ms = excluded.mean_ms, buffers = coalesce(excluded.buffers, h.buffers)`,
      [JSON.stringify(plans)],
    );
  }

  /** Once an hour. */
  async #prune(ask: Ask): Promise<void> {
    if (performance.now() - this.#prunedAt < HOUR_MS) return;
    const days = [this.input.retentionDays];
    const { statements, plans } = this.#tables;
    await ask(`DELETE FROM ${statements} WHERE hour < now() - make_interval(days => $1)`, days);
    await ask(`DELETE FROM ${plans} WHERE last_seen_at < now() - make_interval(days => $1)`, days);
    this.#prunedAt = performance.now();
  }
}
