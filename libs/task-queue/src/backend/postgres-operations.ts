import type pg from 'pg';
import { cancelledResult } from '../queue/cancelled-result.js';
import { type Rebase } from '../queue/task-deadlines.js';
import { compactTaskCount, readTaskCount } from './postgres-task-count.js';
import {
  type CancelOutcome,
  type NextTasks,
  type Placement,
  type QueueTotalCounts,
  type StoreCounts,
  type TaskOperations,
  TOTALS,
} from './task-operations.js';

/**
 * The rows are locked first, in one order, so that no worker takes one of them meanwhile and no two callers wait for
 * each other.
 */
const CANCEL = `
WITH wanted AS MATERIALIZED (
  SELECT id, state FROM job WHERE queue = $1 AND id = ANY($2::text[]) ORDER BY id FOR UPDATE
), cancelled AS (
  UPDATE job SET state = 'completed', return_value = to_jsonb($3::text), finished_at_ms = $4
    FROM wanted
   WHERE job.queue = $1 AND job.id = wanted.id AND wanted.state IN ('waiting', 'delayed')
  RETURNING job.id, job.dedup_id
), freed AS (
  DELETE FROM dedup USING cancelled
   WHERE dedup.queue = $1 AND dedup.dedup_id = cancelled.dedup_id AND dedup.job_id = cancelled.id
), marked AS (
  UPDATE job SET opts = job.opts || jsonb_build_object('cancel', $5::text)
    FROM wanted
   WHERE job.queue = $1 AND job.id = wanted.id AND wanted.state = 'active'
)
SELECT id, state::text FROM wanted`;

const PLACEMENT = `
SELECT coalesce(locked_until_ms > $3, false) AS locked, opts ? 'cancel' AS cancelling,
       coalesce(process_at_ms, 0) AS due,
       CASE WHEN state = 'waiting' THEN (
         SELECT count(*) FROM job AS other
          WHERE other.queue = $1 AND other.state = 'waiting'
            AND (other.priority, other.seq) < (job.priority, job.seq)
       ) ELSE 0 END AS ahead
  FROM job WHERE queue = $1 AND id = $2`;

const REBASE = `
UPDATE job SET priority = CASE WHEN priority > $3 THEN least(priority - $3, $2) ELSE $2 END
 WHERE queue = $1 AND state = 'waiting' AND priority > $2`;

const NEXT = `
SELECT (SELECT priority FROM job WHERE queue = $1 AND state = 'waiting' ORDER BY priority, seq LIMIT 1) AS number,
       (SELECT process_at_ms FROM job WHERE queue = $1 AND state = 'delayed' ORDER BY process_at_ms LIMIT 1) AS due`;

/** In one order of the rows, so that two processes never wait for each other. */
const ADD_TOTALS = `
INSERT INTO meta (queue, field, value)
SELECT $1, field, value FROM unnest($2::text[], $3::text[]) AS added (field, value) ORDER BY field
ON CONFLICT (queue, field) DO UPDATE SET value = (meta.value::bigint + excluded.value::bigint)::text
RETURNING field, value`;

const OUTCOMES: Readonly<Record<string, CancelOutcome>> = {
  waiting: 'cancelled',
  delayed: 'cancelled',
  active: 'cancelling',
  completed: 'ended',
  failed: 'ended',
};

const TASKS_PER_STATEMENT = 1_000;

/** On the tables of BullMQ's queue. */
export class PostgresOperations implements TaskOperations {
  /** @param pool its search path is the schema of BullMQ's tables, which exist */
  constructor(
    private readonly pool: () => Promise<Pick<pg.Pool, 'query'>>,
    private readonly queue: string,
  ) {}

  async cancel(jobIds: readonly string[], reason: string): Promise<CancelOutcome[]> {
    const pool = await this.pool();
    const states = new Map<string, string>();
    for (let start = 0; start < jobIds.length; start += TASKS_PER_STATEMENT) {
      const ids = jobIds.slice(start, start + TASKS_PER_STATEMENT);
      const values = [this.queue, ids, cancelledResult(reason), Date.now(), reason];
      const { rows } = await pool.query<{ id: string; state: string }>(CANCEL, values);
      for (const { id, state } of rows) states.set(id, state);
    }
    return jobIds.map((id) => OUTCOMES[states.get(id) ?? ''] ?? 'not-found');
  }

  async cancellations(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const pool = await this.pool();
    const { rows } = await pool.query<{ id: string; reason: string }>(
      `SELECT id, opts ->> 'cancel' AS reason FROM job
        WHERE queue = $1 AND id = ANY($2::text[]) AND opts ? 'cancel'`,
      [this.queue, jobIds],
    );
    return new Map(rows.map(({ id, reason }) => [id, reason]));
  }

  async placement(jobId: string): Promise<Placement | null> {
    const pool = await this.pool();
    const { rows } = await pool.query<{ locked: boolean; cancelling: boolean; ahead: string; due: string }>(
      PLACEMENT,
      [this.queue, jobId, Date.now()],
    );
    const row = rows[0];
    return row
      ? {
          ahead: Number(row.ahead),
          isLocked: row.locked,
          isCancelling: row.cancelling,
          dueAtMs: Number(row.due),
        }
      : null;
  }

  async rebase({ highest, shift }: Rebase): Promise<number> {
    const pool = await this.pool();
    return (await pool.query(REBASE, [this.queue, highest, shift])).rowCount ?? 0;
  }

  async counts(): Promise<StoreCounts> {
    return readTaskCount(await this.pool(), this.queue);
  }

  async next(): Promise<NextTasks> {
    const pool = await this.pool();
    const { rows } = await pool.query<{ number: string | null; due: string | null }>(NEXT, [this.queue]);
    const { number = null, due = null } = rows[0] ?? {};
    return { number: number && Number(number), dueAtMs: due && Number(due) } as NextTasks;
  }

  async addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts> {
    const pool = await this.pool();
    const { rows } = await pool.query<{ field: string; value: string }>(ADD_TOTALS, [
      `${this.queue}.totals`,
      TOTALS,
      TOTALS.map((it) => String(added[it])),
    ]);
    return Object.fromEntries(rows.map((it) => [it.field, Number(it.value)])) as QueueTotalCounts;
  }

  async tidy(): Promise<void> {
    await compactTaskCount(await this.pool(), this.queue);
  }

  async schedules(): Promise<ReadonlyMap<string, string>> {
    const pool = await this.pool();
    const { rows } = await pool.query<{ name: string; value: string }>(
      'SELECT field AS name, value FROM meta WHERE queue = $1',
      [this.#schedules],
    );
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  async swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean> {
    const pool = await this.pool();
    const { rowCount } = await pool.query(...this.#swap(name, expected, next));
    return rowCount === 1;
  }

  #swap(name: string, expected: string | null, next: string | null): [string, (string | null)[]] {
    const row = [this.#schedules, name];
    if (expected === null) {
      return [
        'INSERT INTO meta (queue, field, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [...row, next],
      ];
    }
    if (next === null) {
      return ['DELETE FROM meta WHERE queue = $1 AND field = $2 AND value = $3', [...row, expected]];
    }
    return [
      'UPDATE meta SET value = $4 WHERE queue = $1 AND field = $2 AND value = $3',
      [...row, expected, next],
    ];
  }

  /** BullMQ's table of what is known about a queue; the schedules are a queue of their own there. */
  get #schedules(): string {
    return `${this.queue}.schedules`;
  }
}
