import { type PgPool, PostgresConnection, type WorkerOptions } from 'bullmq';
import { STALL_FAILURE } from '../dead-letters/stall-failure.js';
import { GroupingPostgresBackend } from './grouping-postgres-backend.js';
import { type WorkerInput } from './queue-backend.js';
import { IDLE_WAIT_S } from './worker-options.js';

/** BullMQ takes a pool to be in its default schema; ours has the search path of the one that was asked for. */
export class SchemaConnection extends PostgresConnection {
  override readonly schema: string;

  constructor(pool: PgPool, schema: string) {
    super(pool);
    this.schema = schema;
  }
}

/** What the search for stalled tasks needs of its worker. */
export interface StalledSearch {
  readonly pool: Pick<PgPool, 'query'>;
  readonly onFailures: WorkerInput['onStallFailures'] | undefined;
}

const MOVE_STALLED = 'SELECT id, is_failed FROM peregrine_move_stalled($1, $2, $3, $4, $5)';

/** BullMQ's backend on PostgreSQL, where it differs from the one on Redis, or from what we promise. */
export class LevelledPostgresBackend extends GroupingPostgresBackend {
  constructor(
    private readonly stalled: StalledSearch,
    ...args: ConstructorParameters<typeof GroupingPostgresBackend>
  ) {
    super(...args);
  }

  /**
   * After an error BullMQ waits for the next notification for as long as this allows, an hour by itself. A task that
   * arrived in between would wait with it.
   */
  override get maximumBlockTimeout(): number {
    return IDLE_WAIT_S;
  }

  /**
   * BullMQ only marks a task whose workers died too often, and fails it when a worker claims it once more, which may be
   * never. Here it fails in the same statement: nobody sees it in between, and a process that dies cannot leave it.
   */
  override async moveStalledJobsToWait(): Promise<string[]> {
    const { maxStalledCount, stalledInterval } = this.opts as WorkerOptions;
    const values = [this.queueName, maxStalledCount, Date.now(), stalledInterval, STALL_FAILURE];
    const { rows } = await this.stalled.pool.query<{ id: string; is_failed: boolean }>(MOVE_STALLED, values);
    const failed = rows.filter((it) => it.is_failed).map(({ id }) => id);
    if (failed.length > 0) this.stalled.onFailures?.(failed);
    return rows.map(({ id }) => id);
  }
}
