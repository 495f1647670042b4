import type pg from 'pg';
import {
  type DeadLetterQuery,
  FAILURES_KEPT,
  type NoDeadLetter,
  type PurgeOutcome,
  type RedriveOutcome,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
  type StoredFailure,
} from '../dead-letters/dead-letter-source.js';
import { type TaskPriority } from '../definition/task-priority.js';
import { type DeadLetterOperations } from './dead-letter-operations.js';
import {
  DEAD_LETTER,
  DEAD_LETTERS,
  DEAD_LETTER_STATES,
  PURGE,
  REDRIVE,
} from './postgres-dead-letter-statements.js';

const TASKS_PER_STATEMENT = 1_000;

interface Row {
  readonly id: string;
  readonly failed_at: string;
  readonly error: string;
  readonly attempts: number;
  readonly submitted_at: string;
  readonly priority: TaskPriority | null;
  readonly redrives: string;
}

interface DetailRow extends Row {
  readonly state: string;
  readonly payload: string;
  readonly schema: string;
  readonly stacks: string[];
  readonly log: string[];
  readonly progress: string | null;
  readonly max_attempts: number;
  readonly claims: number;
  readonly stalls: number;
  readonly worker: string | null;
  readonly started_at: string | null;
  readonly failures: StoredFailure[];
}

/** On the tables of BullMQ's queue, and two members of ours in a task's options: `redrives` and `failures`. */
export class PostgresDeadLetters implements DeadLetterOperations {
  /** @param pool its search path is the schema of BullMQ's tables, which exist */
  constructor(
    private readonly pool: () => Promise<Pick<pg.Pool, 'query'>>,
    private readonly queue: string,
  ) {}

  async page({ task, error, sinceMs, beforeMs, after, limit }: DeadLetterQuery): Promise<StoredDeadLetter[]> {
    const pool = await this.pool();
    const filter = [task ?? null, error ?? null, sinceMs ?? null, beforeMs ?? null];
    const position = [after?.failedAtMs ?? null, after?.jobId ?? null];
    const { rows } = await pool.query<Row>(DEAD_LETTERS, [this.queue, ...filter, ...position, limit]);
    return rows.map(fromRow);
  }

  async detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter> {
    const pool = await this.pool();
    const { rows } = await pool.query<DetailRow>(DEAD_LETTER, [this.queue, jobId]);
    const row = rows[0];
    if (!row) return 'not-found';
    return row.state === 'failed' ? toDetail(row) : 'not-dead';
  }

  async redrive(
    jobIds: readonly string[],
    deadlines: Readonly<Record<TaskPriority, number>>,
  ): Promise<RedriveOutcome[]> {
    const pool = await this.pool();
    const values = [JSON.stringify(deadlines), Date.now(), FAILURES_KEPT];
    return inSteps(jobIds, async (ids) => {
      return (await pool.query<Outcome<RedriveOutcome>>(REDRIVE, [this.queue, ids, ...values])).rows;
    });
  }

  async purge(jobIds: readonly string[]): Promise<PurgeOutcome[]> {
    const pool = await this.pool();
    return inSteps(jobIds, async (ids) => {
      return (await pool.query<Outcome<PurgeOutcome>>(PURGE, [this.queue, ids])).rows;
    });
  }

  async states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]> {
    const pool = await this.pool();
    return inSteps<'dead' | NoDeadLetter>(jobIds, async (ids) => {
      return (await pool.query<Outcome<'dead' | NoDeadLetter>>(DEAD_LETTER_STATES, [this.queue, ids])).rows;
    });
  }
}

interface Outcome<T> {
  readonly id: string;
  readonly outcome: T;
}

/** @returns in the order of the ids */
async function inSteps<T>(
  jobIds: readonly string[],
  step: (jobIds: readonly string[]) => Promise<Outcome<T>[]>,
): Promise<(T | 'not-found')[]> {
  const outcomes = new Map<string, T>();
  for (let start = 0; start < jobIds.length; start += TASKS_PER_STATEMENT) {
    const rows = await step(jobIds.slice(start, start + TASKS_PER_STATEMENT));
    for (const { id, outcome } of rows) outcomes.set(id, outcome);
  }
  return jobIds.map((id) => outcomes.get(id) ?? 'not-found');
}

function fromRow(row: Row): StoredDeadLetter {
  return {
    jobId: row.id,
    failedAtMs: Number(row.failed_at),
    error: row.error,
    attempts: row.attempts,
    submittedAtMs: Number(row.submitted_at),
    priority: row.priority ?? undefined,
    redrives: Number(row.redrives),
  };
}

function toDetail(row: DetailRow): StoredDeadLetterDetail {
  return {
    ...fromRow(row),
    payload: row.payload,
    schemaVersion: Number(row.schema),
    stacks: row.stacks,
    log: row.log,
    progress: row.progress,
    maxAttempts: row.max_attempts,
    claims: row.claims,
    stalls: row.stalls,
    worker: row.worker ?? undefined,
    startedAtMs: row.started_at === null ? undefined : Number(row.started_at),
    failures: row.failures,
  };
}
