import pg from 'pg';

import { AdaptiveIndexing } from '../src/adaptive/adaptive-indexing.js';
import { type AdaptiveIndexingOptionsInput } from '../src/adaptive/adaptive-indexing.options.js';
import { type CapturedStatement } from '../src/slow-queries/slow-query.js';
import { TestDatabase } from './test-database.js';

const SCHEMA = `
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int NOT NULL, name text NOT NULL, size int NOT NULL);
  INSERT INTO file SELECT n, n % 3000, 'File ' || n, n % 100 FROM generate_series(1, 60000) n;
  CREATE TABLE event (id int PRIMARY KEY, file_id int NOT NULL, at timestamptz NOT NULL, detail text NOT NULL);
  INSERT INTO event SELECT n, n % 4000, now() - n * interval '1 s', repeat('x', 40) FROM generate_series(1, 60000) n;
`;

const often = { calls: 1_000, totalMs: 20_000 };
/** Each asks for an index that is not there, and both read a whole table without it. */
export const FILES_OF_WORKSPACE: CapturedStatement = {
  id: 'files of a workspace',
  text: 'SELECT * FROM file WHERE workspace_id = $1',
  parameters: [17],
  ...often,
};
export const EVENTS_OF_FILE: CapturedStatement = {
  id: 'events of a file',
  text: 'SELECT * FROM event WHERE file_id = $1',
  parameters: [17],
  ...often,
  totalMs: 10_000,
};

/** A database with tables that miss an index each, and processes that look after them. */
export class AdaptiveDatabase {
  readonly #pools: pg.Pool[] = [];

  private constructor(readonly database: TestDatabase) {}

  static async create(): Promise<AdaptiveDatabase> {
    const database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
    return new AdaptiveDatabase(database);
  }

  /** As a process of its own would: with connections that nobody else has. */
  process(
    options: Partial<AdaptiveIndexingOptionsInput> = {},
    captured: readonly CapturedStatement[] = [FILES_OF_WORKSPACE],
    url = this.database.url,
  ): AdaptiveIndexing {
    const pool = new pg.Pool({
      connectionString: url,
      max: 6,
      application_name: options.actor ?? 'adaptive test',
    });
    pool.on('error', () => undefined);
    this.#pools.push(pool);
    return new AdaptiveIndexing({
      ...{ mode: 'apply', source: pool, captured: () => captured, retryMs: 1, progressEveryMs: 1 },
      ...{ lockTimeoutMs: 30_000, ...options },
    });
  }

  /** Indexes beside the primary keys, with those that are not valid. */
  async indexes(): Promise<string[]> {
    const rows = await this.database.run<{ name: string }>(
      `SELECT indexrelid::regclass::text || CASE WHEN indisvalid THEN '' ELSE ' (invalid)' END AS name
         FROM pg_index WHERE indrelid IN ('file'::regclass, 'event'::regclass) AND NOT indisprimary ORDER BY 1`,
    );
    return rows.map((it) => it.name);
  }

  /** Meanwhile a build waits for somebody's transaction. */
  async whileHeld(work: (release: () => Promise<void>) => Promise<void>): Promise<void> {
    const holder = new pg.Client({ connectionString: this.database.url });
    holder.on('error', () => undefined);
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('UPDATE file SET size = size WHERE id = 1');
      await work(async () => void (await holder.query('ROLLBACK')));
    } finally {
      await holder.end();
    }
  }

  /** As before the first round. */
  async forget(): Promise<void> {
    await this.closePools();
    for (const it of await this.indexes())
      await this.database.run(`DROP INDEX ${it.replace(' (invalid)', '')}`);
    await this.database.run(
      'DROP TABLE IF EXISTS peregrine_index_recommendations, peregrine_index_rounds, peregrine_index_ledger, peregrine_slow_queries',
    );
  }

  async closePools(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((it) => it.end()));
  }

  async drop(): Promise<void> {
    await this.closePools();
    await this.database.drop();
  }
}
