import { randomUUID } from 'node:crypto';
import { type TaskPriority } from '../definition/task-priority.js';
import { type NewTask } from '../queue/new-task.js';
import { traceText } from '../tracing/trace-context.js';
import { type QueryClient } from './transaction-source.js';

/**
 * The table that tasks of a transaction wait in, where the queue's store is another server. For a migration of your
 * own; without one it is made at start.
 */
export const TASK_OUTBOX_SQL = `
CREATE TABLE IF NOT EXISTS task_outbox (
  id uuid PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  queue text NOT NULL,
  task text NOT NULL,
  task_id text NOT NULL,
  payload text NOT NULL,
  schema_version integer NOT NULL,
  priority text NOT NULL,
  delay_ms bigint NOT NULL,
  dedupe_key text,
  submitted_at timestamptz(3) NOT NULL,
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  error text,
  trace text
);
ALTER TABLE task_outbox ADD COLUMN IF NOT EXISTS trace text;
CREATE UNIQUE INDEX IF NOT EXISTS task_outbox_queue_position_idx ON task_outbox (queue, position);
`;

/** Any number that other users of advisory locks in the database are not likely to take. */
const INSTALL_LOCK = 7_061_402_197;
const RELAY_LOCK = 1_706_140_219;
/** A relay whose machine vanishes holds its locks no longer than this, milliseconds. */
const IDLE_TIMEOUT_MS = 30_000;

const INSERT = `
INSERT INTO task_outbox (id, queue, task, task_id, payload, schema_version, priority, delay_ms, dedupe_key, trace,
                         submitted_at)
SELECT id, $1, task, task_id, payload, schema_version, priority, delay_ms, dedupe_key, trace, $2
  FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::bigint[], $10::text[],
              $11::text[])
       WITH ORDINALITY
         AS t (id, task, task_id, payload, schema_version, priority, delay_ms, dedupe_key, trace, number)
 ORDER BY number`;

const BEGIN_RELAY = `
SELECT set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT_MS}', true),
       pg_try_advisory_xact_lock(${RELAY_LOCK}, hashtext($1)) AS locked`;

const READ = `
SELECT id, task, task_id AS "taskId", payload, schema_version AS "schemaVersion", priority,
       delay_ms::float8 AS "delayMs", dedupe_key AS "dedupeKey",
       (extract(epoch FROM submitted_at) * 1000)::float8 AS "submittedAtMs", error, trace
  FROM task_outbox`;

const MEASURE = `
SELECT (SELECT count(*)::int FROM (SELECT FROM task_outbox WHERE queue = $1 LIMIT 10000) AS counted) AS size,
       (SELECT extract(epoch FROM now() - submitted_at)::float8 FROM task_outbox
         WHERE queue = $1 ORDER BY position LIMIT 1) AS "lagSeconds"`;

/** A task that waits in the outbox. */
export interface OutboxRow {
  readonly id: string;
  readonly task: string;
  readonly taskId: string;
  readonly payload: string;
  readonly schemaVersion: number;
  readonly priority: TaskPriority;
  readonly delayMs: number;
  readonly dedupeKey: string | null;
  readonly submittedAtMs: number;
  /** Why it could not be relayed, last. */
  readonly error: string | null;
  /** Where it was submitted, as text. */
  readonly trace: string | null;
}

export interface OutboxBacklog {
  /** Counted up to 10,000. */
  readonly size: number;
  /** Age of the oldest, seconds. */
  readonly lagSeconds: number;
}

/** The statements on the outbox; each on a connection of the caller's, inside a transaction. */
export class OutboxTable {
  /** @param queue several queues may share the table */
  constructor(private readonly queue: string) {}

  async install(client: QueryClient): Promise<void> {
    // A role that may not create tables may still use one that is there.
    if (await exists(client)) return;
    await client.query('SELECT pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
    if (!(await exists(client))) await client.query(TASK_OUTBOX_SQL);
  }

  async insert(client: QueryClient, tasks: readonly NewTask[]): Promise<void> {
    await client.query(INSERT, [
      this.queue,
      new Date(),
      tasks.map(() => randomUUID()),
      tasks.map((it) => it.definition.name),
      tasks.map((it) => it.id),
      tasks.map((it) => it.payload),
      tasks.map((it) => it.schemaVersion),
      tasks.map((it) => it.priority),
      tasks.map((it) => it.delayMs),
      tasks.map((it) => it.dedupeKey ?? null),
      tasks.map((it) => it.trace && traceText(it.trace)),
    ]);
  }

  /** Until the transaction ends no other relay reads. @returns false when another does */
  async lock(client: QueryClient): Promise<boolean> {
    const { rows } = await client.query(BEGIN_RELAY, [this.queue]);
    return (rows[0] as { locked: boolean }).locked;
  }

  /** In the order of submission; locked, and without those that a cancellation is about to remove. */
  async read(client: QueryClient, tasks: readonly string[], limit: number): Promise<OutboxRow[]> {
    const { rows } = await client.query(
      `${READ} WHERE queue = $1 AND task = ANY($2::text[]) AND not_before <= now()
        ORDER BY position LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [this.queue, tasks, limit],
    );
    return rows as OutboxRow[];
  }

  async find(client: QueryClient, task: string, taskId: string): Promise<OutboxRow | null> {
    const { rows } = await client.query(
      `${READ} WHERE queue = $1 AND task = $2 AND task_id = $3 ORDER BY position LIMIT 1`,
      [this.queue, task, taskId],
    );
    return (rows[0] as OutboxRow | undefined) ?? null;
  }

  async remove(client: QueryClient, ids: readonly string[]): Promise<void> {
    await client.query('DELETE FROM task_outbox WHERE id = ANY($1::uuid[])', [ids]);
  }

  /** Waits for a relay that is about to take one of them. @returns the ids of the tasks that were there */
  async cancel(client: QueryClient, task: string, taskIds: readonly string[]): Promise<Set<string>> {
    const { rows } = await client.query(
      `DELETE FROM task_outbox WHERE queue = $1 AND task = $2 AND task_id = ANY($3::text[]) RETURNING task_id AS id`,
      [this.queue, task, taskIds],
    );
    return new Set((rows as { id: string }[]).map((it) => it.id));
  }

  /** Others go first for a while. */
  async postpone(client: QueryClient, id: string, error: string, delayMs: number): Promise<void> {
    await client.query(
      `UPDATE task_outbox SET error = $2, not_before = now() + make_interval(secs => $3) WHERE id = $1`,
      [id, error, delayMs / 1_000],
    );
  }

  async measure(client: QueryClient): Promise<OutboxBacklog> {
    const { rows } = await client.query(MEASURE, [this.queue]);
    const { size, lagSeconds } = rows[0] as { size: number; lagSeconds: number | null };
    return { size, lagSeconds: Math.max(lagSeconds ?? 0, 0) };
  }
}

/** As it is now: one of an older version lacks the latest column. */
async function exists(client: QueryClient): Promise<boolean> {
  const { rows } = await client.query(`
    SELECT EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = to_regclass('task_outbox') AND attname = 'trace') AS "exists"`);
  return (rows[0] as { exists: boolean }).exists;
}
