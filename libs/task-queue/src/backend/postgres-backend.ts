import {
  type BackendFactory,
  type ConnectionOptions,
  type IQueueBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  Queue,
  SchemaMigrationRequiredError,
  Worker,
  assertSchemaCompatibility,
  runMigrations,
} from 'bullmq';
import pg from 'pg';
import { type PostgresBackendOptions } from '../task-queue.options.js';
import { type ThrottledLog } from '../throttled-log.js';
import { addBullJobs } from './bull-submission.js';
import { installDedupeGuard } from './postgres-dedupe-guard.js';
import { LevelledPostgresBackend, SchemaConnection } from './levelled-postgres-backend.js';
import { type NewJob } from './new-job.js';
import { PostgresDeadLetters } from './postgres-dead-letters.js';
import { installFunctions } from './postgres-functions.js';
import { PostgresJoin } from './postgres-join.js';
import { PostgresOperations } from './postgres-operations.js';
import { PostgresPool } from './postgres-pool.js';
import { PostgresRelay } from './postgres-relay.js';
import { addPlainJobs, installSubmission, isPlain } from './postgres-submission.js';
import { installTaskCount } from './postgres-task-count.js';
import { installTurns } from './postgres-turn.js';
import { type OpenWorker, type QueueBackend, type StoreQueue, type WorkerInput } from './queue-backend.js';
import { SingleFlight } from './single-flight.js';
import { QUEUE_STREAMS, workerOptions } from './worker-options.js';

/** A worker's query that takes longer than this holds a connection that is most likely dead, milliseconds. */
const WORKER_QUERY_TIMEOUT_MS = 30_000;

export interface PostgresBackendInput {
  readonly options: PostgresBackendOptions;
  readonly prefix: string;
  /** Bound of a connection attempt and of a query of the caller, milliseconds. */
  readonly timeoutMs: number;
  readonly log: ThrottledLog;
}

/** BullMQ's own backend on PostgreSQL 13 and later. */
export class PostgresBackend implements QueueBackend {
  readonly type = 'postgres';
  // Keeping to a number costs a scan of all kept rows with every task that ends.
  readonly keepsCount = false;
  readonly ordersCalls = false;
  readonly operations: PostgresOperations;
  readonly deadLetters: PostgresDeadLetters;
  readonly join: PostgresJoin;
  readonly #input: PostgresBackendInput;
  readonly #migrated = new SingleFlight<void>();
  readonly #queue = new SingleFlight<StoreQueue>();
  readonly #onLost = (error: Error) => this.#input.log.warn('The connection to PostgreSQL failed', error);
  #pool: pg.Pool | undefined;

  constructor(input: PostgresBackendInput) {
    this.#input = input;
    this.operations = new PostgresOperations(() => this.#migratedPool(), this.#queueName);
    this.deadLetters = new PostgresDeadLetters(() => this.#migratedPool(), this.#queueName);
    this.join = new PostgresJoin({
      pool: () => this.#migratedPool(),
      openQueue: (pool) => this.#openQueue(pool),
      queueName: this.#queueName,
      schema: input.options.schema,
      timeoutMs: input.timeoutMs,
      onLost: this.#onLost,
    });
  }

  queue(): Promise<StoreQueue> {
    return this.#queue.get(async () => this.#openQueue(this.#bullPool(await this.#migratedPool())));
  }

  async add(jobs: readonly NewJob[]): Promise<string[]> {
    if (!jobs.every(isPlain)) return addBullJobs(await this.queue(), jobs);
    const pool = this.#bullPool(await this.#migratedPool());
    await addPlainJobs(pool, this.#input.options.schema, this.#queueName, jobs);
    return jobs.map((it) => it.id);
  }

  openRelay(): PostgresRelay {
    return new PostgresRelay(() => this.#migratedPool(), this.join);
  }

  async openWorker(input: WorkerInput): Promise<OpenWorker> {
    await this.#migrate();
    // One more than asked for: the connection that listens for new tasks is one of the pool's.
    const pool = this.#openPool(this.#input.options.poolMax + 1, WORKER_QUERY_TIMEOUT_MS);
    const disconnect = () => pool.end();
    try {
      const options = { ...workerOptions(input), connection: {} };
      const worker = new Worker(
        this.#queueName,
        input.processor,
        options,
        this.#factory(this.#bullPool(pool), this.#queueName, input.onStallFailures),
      );
      worker.on('error', (error) => this.#input.log.warn('The worker met an error', error));
      return { worker: await closeUnlessReady(worker), disconnect };
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  async ping(): Promise<void> {
    await this.#callerPool().query('SELECT 1');
  }

  async close(): Promise<void> {
    const queue = await this.#queue.current?.catch(() => undefined);
    await queue?.close();
    await this.join.close();
    await this.#pool?.end();
  }

  /** On PostgreSQL BullMQ knows no prefix but the schema, so the prefix is part of the queue's name. */
  get #queueName(): string {
    return `${this.#input.prefix}.tasks`;
  }

  #openQueue(pool: PgPool): Promise<StoreQueue> {
    const queue: StoreQueue = new Queue(
      this.#queueName,
      { connection: {}, streams: QUEUE_STREAMS },
      this.#factory(pool),
    );
    queue.on('error', (error) => this.#input.log.warn('The queue met an error', error));
    return closeUnlessReady(queue);
  }

  #bullPool(pool: pg.Pool): PostgresPool {
    return new PostgresPool(pool, this.#onLost);
  }

  async #migratedPool(): Promise<pg.Pool> {
    await this.#migrate();
    return this.#callerPool();
  }

  #callerPool(): pg.Pool {
    this.#pool ??= this.#openPool(this.#input.options.poolMax, this.#input.timeoutMs);
    return this.#pool;
  }

  #migrate(): Promise<void> {
    return this.#migrated.get(async () => {
      const { url, schema } = this.#input.options;
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: this.#input.timeoutMs });
      client.on('error', (error) => this.#input.log.warn('The connection to PostgreSQL failed', error));
      try {
        await client.connect();
        await migrate(client, schema);
        await client.query(`SET search_path = "${schema}"`);
        await installTaskCount(client);
        await installTurns(client);
        await installSubmission(client);
        await installFunctions(client);
        await installDedupeGuard(client);
      } finally {
        await client.end();
      }
    });
  }

  #openPool(max: number, queryTimeoutMs: number): pg.Pool {
    const { url, schema } = this.#input.options;
    const pool = new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: this.#input.timeoutMs,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
      application_name: this.#queueName,
      options: `-c search_path="${schema}"`,
    });
    // Without a listener an idle connection that breaks would end the process.
    pool.on('error', (error) => this.#input.log.warn('The connection to PostgreSQL failed', error));
    return pool;
  }

  #factory(
    pool: PgPool,
    listenerName?: string,
    onStallFailures?: WorkerInput['onStallFailures'],
  ): BackendFactory<IQueueBackend, ConnectionOptions> {
    return (name, options) => {
      const connection = new SchemaConnection(pool, this.#input.options.schema);
      const stalled = { pool, onFailures: onStallFailures };
      return new LevelledPostgresBackend(stalled, connection, name, options as never, true, listenerName);
    };
  }
}

/** Several processes may do this at once: BullMQ takes an advisory lock. */
async function migrate(client: pg.Client, schema: string): Promise<void> {
  try {
    const version = await assertSchemaCompatibility(client, schema);
    if (version >= LATEST_SCHEMA_VERSION) return;
  } catch (error) {
    if (!(error instanceof SchemaMigrationRequiredError)) throw error;
  }
  await runMigrations(client, schema);
}

/** BullMQ remembers a failed start for ever, so what did not start is thrown away. */
async function closeUnlessReady<T extends { waitUntilReady(): Promise<unknown>; close(): Promise<void> }>(
  opened: T,
): Promise<T> {
  try {
    await opened.waitUntilReady();
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}
