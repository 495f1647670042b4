import { AsyncLocalStorage } from 'node:async_hooks';
import { type PgPool, type PgQueryResult } from 'bullmq';
import type pg from 'pg';
import { withDeadline } from '../deadline.js';
import { QueueUnavailableError, TaskOwnershipLostError } from '../task-queue.errors.js';
import { type Claim } from '../transactional/joinable-store.js';
import { type QueryClient } from '../transactional/transaction-source.js';
import { addBullJobs } from './bull-submission.js';
import { type NewJob } from './new-job.js';
import { PostgresPool } from './postgres-pool.js';
import { addPlainJobs, isPlain } from './postgres-submission.js';
import { type JobJoin, type StoreQueue } from './queue-backend.js';
import { SingleFlight } from './single-flight.js';

/** Two connections with the same answer are on one database: no two servers start in the same microsecond. */
const IDENTITY = `
SELECT current_database() || '/' || extract(epoch FROM pg_postmaster_start_time())::text AS identity`;

/** BullMQ's insertions; its functions set the search path themselves, so naming the schema is enough. */
const INSERTION = /\b(add_job|add_jobs_bulk|add_flow)\(/;

/** How BullMQ says that a claim is not the caller's any more. */
const REFUSED = 'BM001';

export interface PostgresJoinInput {
  /** Migrated. */
  readonly pool: () => Promise<pg.Pool>;
  readonly openQueue: (pool: PgPool) => Promise<StoreQueue>;
  readonly queueName: string;
  readonly schema: string;
  readonly timeoutMs: number;
  readonly onLost: (error: Error) => void;
}

/** BullMQ's statements on the connection of somebody else's transaction, which keeps its search path. */
export class PostgresJoin implements JobJoin {
  readonly #queue = new SingleFlight<StoreQueue>();
  readonly #client = new AsyncLocalStorage<QueryClient>();
  #isOn: boolean | undefined;

  constructor(private readonly it: PostgresJoinInput) {}

  async isOn(client: QueryClient): Promise<boolean> {
    if (this.#isOn === undefined) {
      // Both answer while both connections live, so a restart in between cannot tell them apart.
      const own = await this.#ownSide(async () => identityOf(await this.it.pool()));
      this.#isOn = own === (await identityOf(client));
    }
    return this.#isOn;
  }

  async add(client: QueryClient, jobs: readonly NewJob[]): Promise<string[]> {
    const queue = await this.#ownSide(() => this.#openQueue());
    if (!jobs.every(isPlain)) return this.#client.run(client, () => addBullJobs(queue, jobs));
    await addPlainJobs(client, this.it.schema, this.it.queueName, jobs);
    return jobs.map((it) => it.id);
  }

  async complete(client: QueryClient, claim: Claim, result: string, keepAgeS: number | null): Promise<void> {
    const { schema, queueName } = this.it;
    try {
      await client.query(`SELECT "${schema}".move_to_completed($1, $2, $3, $4::jsonb, $5, false, $6, NULL)`, [
        queueName,
        claim.jobId,
        claim.token,
        JSON.stringify(result),
        Date.now(),
        keepAgeS,
      ]);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === REFUSED) {
        throw new TaskOwnershipLostError({ cause: error });
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    const queue = await this.#queue.current?.catch(() => undefined);
    await queue?.close();
  }

  /** What is asked on connections of the store's own; the transaction has no part in it. */
  async #ownSide<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withDeadline(work(), this.it.timeoutMs);
    } catch (error) {
      throw new QueueUnavailableError('submit', { cause: error });
    }
  }

  #openQueue(): Promise<StoreQueue> {
    return this.#queue.get(async () => {
      const pool = await this.it.pool();
      return this.it.openQueue(
        new JoiningPool(pool, this.it.onLost, this.it.schema, () => this.#client.getStore()),
      );
    });
  }
}

/** Sends insertions to the transaction of the calling code, and everything else to the pool. */
class JoiningPool extends PostgresPool {
  constructor(
    pool: pg.Pool,
    onLost: (error: Error) => void,
    private readonly schema: string,
    private readonly client: () => QueryClient | undefined,
  ) {
    super(pool, onLost);
  }

  override async query<R>(text: string, params: readonly unknown[] = []): Promise<PgQueryResult<R>> {
    const client = this.client();
    if (!client || !INSERTION.test(text)) return super.query<R>(text, params);
    const { rows, rowCount } = await client.query(text.replace(INSERTION, `"${this.schema}".$1(`), [
      ...params,
    ]);
    return { rows: rows as R[], rowCount };
  }
}

async function identityOf(client: QueryClient): Promise<unknown> {
  const { rows } = await client.query(IDENTITY);
  return (rows[0] as { identity: string }).identity;
}
