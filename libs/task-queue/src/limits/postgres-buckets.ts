import pg from 'pg';
import { SingleFlight } from '../backend/single-flight.js';
import { type BucketStore } from './bucket-store.js';
import { createTable, GIVE_BACK, PAUSE, SWEEP, TAKE } from './postgres-bucket-statements.js';
import { type TakeAnswer, type TakeRequest } from './token-bucket.js';

const SWEEP_INTERVAL_MS = 60_000;
/** The rows of one bucket are taken one after the other, so more would wait in the database. */
const CONNECTIONS = 5;

export interface PostgresBucketsInput {
  readonly url: string;
  readonly schema: string;
  readonly prefix: string;
  /** Bound of a connection attempt and of a statement, milliseconds. */
  readonly timeoutMs: number;
  /** Told of a connection, or of a clean-up, that failed. */
  readonly onError: (error: Error) => void;
}

interface AnswerRow {
  readonly granted: boolean;
  readonly now_us: string;
  readonly slot_us: string;
  readonly remaining: number;
}

/** Buckets in a table of their own, on the clock of the database. Connects with the first use. */
export class PostgresBuckets implements BucketStore {
  readonly #pool: pg.Pool;
  readonly #created = new SingleFlight<void>();
  #sweptAt = performance.now();

  constructor(private readonly input: PostgresBucketsInput) {
    this.#pool = new pg.Pool({
      connectionString: input.url,
      max: CONNECTIONS,
      connectionTimeoutMillis: input.timeoutMs,
      query_timeout: input.timeoutMs,
      keepAlive: true,
      application_name: `${input.prefix}.limits`,
      // A database that crashes may forget the last half second of grants, which saves a wait for the disk each.
      options: `-c search_path="${input.schema}" -c synchronous_commit=off`,
    });
    // Without a listener an idle connection that breaks would end the process.
    this.#pool.on('error', input.onError);
  }

  async take(bucket: string, request: TakeRequest): Promise<TakeAnswer> {
    const { cost, ratePerSecond, burst, slotUs, maxWaitUs } = request;
    const { rows } = await this.#run(TAKE, bucket, cost, ratePerSecond, burst, slotUs, maxWaitUs);
    this.#sweep();
    const row = rows[0] as AnswerRow;
    return {
      granted: row.granted,
      nowUs: Number(row.now_us),
      slotUs: Number(row.slot_us),
      remaining: row.remaining,
    };
  }

  async giveBack(bucket: string, cost: number): Promise<void> {
    await this.#run(GIVE_BACK, bucket, cost);
  }

  async pause(bucket: string, pauseUs: number): Promise<void> {
    await this.#run(PAUSE, bucket, pauseUs);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #run(statement: string, bucket: string, ...values: readonly number[]): Promise<pg.QueryResult> {
    await this.#created.get(() => this.#create());
    return this.#pool.query(statement, [`${this.input.prefix}/${bucket}`, ...values]);
  }

  /** Once in a process; a role without the right to create needs only that the table is there. */
  async #create(): Promise<void> {
    const { rows } = await this.#pool.query<{ exists: boolean }>(
      `SELECT to_regclass($1) IS NOT NULL AS exists`,
      [`"${this.input.schema}".peregrine_rate_bucket`],
    );
    if (!rows[0]?.exists) await this.#pool.query(createTable(this.input.schema));
  }

  /** Now and then; nobody waits for it. */
  #sweep(): void {
    if (performance.now() - this.#sweptAt < SWEEP_INTERVAL_MS) return;
    this.#sweptAt = performance.now();
    this.#pool.query(SWEEP).catch(this.input.onError);
  }
}
