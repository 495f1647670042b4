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
  CREATE TABLE loan (id int PRIMARY KEY, at int NOT NULL, state text NOT NULL, note text NOT NULL);
  INSERT INTO loan SELECT n, hashint4(n), CASE WHEN n = 7 THEN 'lost' ELSE 'back' END, repeat('x', 300)
    FROM generate_series(1, ${ROWS}) n;
  CREATE TABLE book (id int PRIMARY KEY, author_id int NOT NULL, size int NOT NULL, note text NOT NULL);
  INSERT INTO book SELECT n, n, n % 100, repeat('x', 300) FROM generate_series(1, ${ROWS}) n;
`;
const statement = (id: string, text: string): WorkloadStatement => ({ id, text, calls: 1, totalMs: 0 });
const BOOKS = statement(
  'books',
  'SELECT b.id FROM author a JOIN book b ON b.author_id = a.id WHERE a.code = 7',
);
/** A hundred calls that an index on the time saves from reading the whole table. */
const LOANS_AT = {
  ...statement('loans at', 'SELECT * FROM loan WHERE at BETWEEN 1000 AND 2000 ORDER BY at'),
  calls: 100,
};
/** What the planner takes to be in half of the rows is in none: by the index it goes through all of them, all over the table. */
const FIRST_LOANS = statement(
  'first loans',
  "SELECT * FROM loan WHERE state || '' > 'back' AND length(note) > 0 ORDER BY at LIMIT 10",
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
        `SELECT indexname AS name FROM pg_indexes WHERE tablename IN ('author', 'book', 'loan') AND indexname !~ 'pkey' ORDER BY 1`,
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

  it('keeps an index that saves more than one statement loses by it, and names that statement', async () => {
    const candidates = [{ plan: plan('loan', 'at'), statements: [LOANS_AT] }];
    const watched = [FIRST_LOANS];
    const [kept] = await trials({ toleratedRegression: 1_000 }).runTogether(candidates, {}, { watched });
    expect(kept).toMatchObject({
      status: 'kept',
      decision: expect.stringMatching(
        /^Kept: 2 statements, .* less time\. Tolerated, as the others gain more: first loans went from /,
      ),
    });
    expect(await indexes()).toEqual(['loan_at_idx']);
    await database.run('DROP INDEX loan_at_idx; DROP TABLE peregrine_index_ledger');
    const [dropped] = await trials({ toleratedRegression: 0.3 }).runTogether(candidates, {}, { watched });
    expect(dropped).toMatchObject({
      status: 'dropped',
      decision: expect.stringMatching(/^Dropped: first loans went from .* which is too much$/),
    });
    expect(await indexes()).toEqual([]);
  });

  it('drops an index when its loss, weighted by calls, is more than its gain', async () => {
    const [entry] = await trials({ toleratedRegression: 1_000 }).runTogether(
      [{ plan: plan('loan', 'at'), statements: [{ ...LOANS_AT, calls: 1 }] }],
      {},
      { watched: [{ ...FIRST_LOANS, calls: 100 }] },
    );
    expect(entry).toMatchObject({
      status: 'dropped',
      decision: expect.stringContaining('first loans went from'),
    });
    expect(await indexes()).toEqual([]);
  });

  it('measures a statement once, however many copies of it serve indexes', async () => {
    const copy = (): WorkloadStatement => JSON.parse(JSON.stringify(BOOKS)) as WorkloadStatement;
    let runs = 0;
    const source = {
      connect: async () => {
        const client = await pool.connect();
        return {
          query: (query: string | { text: string }, values?: readonly unknown[]) => {
            if (typeof query === 'object' && query.text.includes('EXPLAIN (ANALYZE')) runs++;
            return client.query(query as string, values as unknown[]);
          },
          release: (isBroken?: boolean) => client.release(isBroken),
        };
      },
    };
    const entries = await trials({ source, rounds: 1 }).runTogether(
      ['code', 'author_id'].map((column) => ({
        plan: plan(column === 'code' ? 'author' : 'book', column),
        statements: [copy()],
      })),
      {},
      { watched: [copy()] },
    );
    expect(entries.map((it) => it.measurements.length)).toEqual([1, 1]);
    expect(runs).toBe(2);
  });

  it('leaves room for those before, and does not begin what it is told not to', async () => {
    const entries = await trials().runTogether(
      ['code', 'author_id', 'size'].map((column) => ({
        plan: plan(column === 'code' ? 'author' : 'book', column),
        statements: [BOOKS],
      })),
      {},
      { maxBytes: 600_000, mayBegin: ({ indexName }) => indexName !== 'book_size_idx' },
    );
    expect(entries.map((it) => it.plan.indexName)).toEqual(['author_code_idx', 'book_author_id_idx']);
    expect(entries[1]).toMatchObject({
      status: 'dropped',
      decision: expect.stringMatching(/^Dropped: it takes \d+ bytes, and \d+ were left for it$/),
    });
    expect(await indexes()).not.toContain('book_author_id_idx');
  });
});
