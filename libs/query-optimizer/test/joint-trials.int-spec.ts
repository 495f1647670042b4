import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type WorkloadStatement } from '../src/advisor/advice.js';
import { type IndexTrialOptionsInput } from '../src/index-builder/index-builder.options.js';
import { IndexTrials } from '../src/index-builder/index-trial.js';
import { TestDatabase } from './test-database.js';

const ROWS = 50_000;
const SCHEMA = `
  CREATE TABLE author (id int PRIMARY KEY, code int NOT NULL, name text NOT NULL);
  INSERT INTO author SELECT n, n % 2500, 'Author ' || n FROM generate_series(1, ${ROWS}) n;
  CREATE TABLE book (id int PRIMARY KEY, author_id int NOT NULL, size int NOT NULL, note text NOT NULL);
  INSERT INTO book SELECT n, n, n % 100, repeat('x', 300) FROM generate_series(1, ${ROWS}) n;
`;
const statement = (id: string, text: string): WorkloadStatement => ({ id, text, calls: 1, totalMs: 0 });
const BOOKS = statement(
  'books',
  'SELECT b.id FROM author a JOIN book b ON b.author_id = a.id WHERE a.code = 7',
);
const plan = (table: string, column: string) => ({
  id: `${table}-${column}`,
  table: { schema: 'public', name: table },
  indexName: `${table}_${column}_idx`,
  keys: [column],
});

describe('trials of indexes that are judged together', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const trials = (options: Partial<IndexTrialOptionsInput> = {}) =>
    new IndexTrials({ source: pool, lockTimeoutMs: 20_000, progressEveryMs: 1, ...options });
  const indexes = async () =>
    (
      await database.run<{ name: string }>(
        `SELECT indexname AS name FROM pg_indexes WHERE tablename IN ('author', 'book') AND indexname !~ 'pkey' ORDER BY 1`,
      )
    ).map((it) => it.name);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    // Dropping the database ends what is still closing.
    pool.on('error', () => undefined);
  });
  beforeEach(() => database.run('DROP TABLE IF EXISTS peregrine_index_ledger'));
  afterEach(async () => {
    for (const name of await indexes()) await database.run(`DROP INDEX ${name}`);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('keeps both indexes of a join, and drops the one that no statement uses beside them', async () => {
    const entries = await trials().runTogether(
      ['code', 'author_id', 'size'].map((column) => ({
        plan: plan(column === 'code' ? 'author' : 'book', column),
        statements: [BOOKS],
      })),
    );
    expect(entries.map((it) => it.status)).toEqual(['kept', 'kept', 'dropped']);
    expect(entries[2]?.decision).toBe('Dropped: beside the other indexes no statement uses it');
    expect(entries[0]?.measurements).toEqual([
      { statement: 'books', calls: 1, beforeMs: expect.any(Number), afterMs: expect.any(Number) },
    ]);
    expect(await indexes()).toEqual(['author_code_idx', 'book_author_id_idx']);
    const [row] = await database.run(`SELECT count(*)::int AS n FROM peregrine_index_ledger`);
    expect(row).toEqual({ n: 3 });
  });

  it('answers what stands in the ledger for an index that an earlier run has kept', async () => {
    const candidates = [
      { plan: plan('author', 'code'), statements: [] },
      { plan: plan('book', 'author_id'), statements: [] },
    ];
    const first = await trials().runTogether(candidates);
    expect(first.map((it) => it.decision)).toEqual([
      'Kept on the estimate: none of its statements could be measured',
      'Kept on the estimate: none of its statements could be measured',
    ]);
    expect(await trials().runTogether(candidates)).toEqual(first);
  });

  it('leaves nothing when it is cancelled, and says so', async () => {
    const cancelled = new AbortController();
    const source = {
      connect: async () => {
        const client = await pool.connect();
        client.on('error', () => undefined);
        return {
          query: (query: string | { text: string }, values?: readonly unknown[]) => {
            const text = typeof query === 'string' ? query : query.text;
            if (/^CREATE INDEX .*book_author_id_idx/.test(text)) cancelled.abort();
            return client.query(query as string, values as unknown[]);
          },
          release: (isBroken?: boolean) => client.release(isBroken),
        };
      },
    };
    const entries = await trials({ source }).runTogether(
      ['code', 'author_id'].map((column) => ({
        plan: plan(column === 'code' ? 'author' : 'book', column),
        statements: [BOOKS],
      })),
      { signal: cancelled.signal },
    );
    expect(entries.map((it) => it.status)).toEqual(['failed', 'failed']);
    expect(await indexes()).toEqual([]);
  });

  it('goes on with the others when one cannot be built', async () => {
    const entries = await trials().runTogether([
      { plan: plan('nowhere', 'code'), statements: [BOOKS] },
      { plan: plan('author', 'code'), statements: [BOOKS] },
      { plan: plan('book', 'author_id'), statements: [BOOKS] },
    ]);
    expect(entries.map((it) => it.status)).toEqual(['failed', 'kept', 'kept']);
    expect(entries[0]?.decision).toContain('nowhere');
  });
});
