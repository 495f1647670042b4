import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExecuteOptions } from '../src/execution/execute-options.js';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { MemoryResultStore } from '../src/result-cache/memory-result-store.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const MILLION = 1_000_000;
/** One more than the protocol can count. */
const TOO_MANY = Array<number>(65_536).fill(1);

const REFUSED: readonly (readonly [name: string, sql: string, parameters: unknown[], code: string])[] = [
  ['what does not parse', 'SELEC 1', [], 'QUERY_SYNTAX'],
  ['a quote that is left open', `SELECT 'a`, [], 'QUERY_SYNTAX'],
  ['two statements', 'SELECT 1; SELECT 2', [], 'QUERY_MULTIPLE_STATEMENTS'],
  ['nothing', ' ; -- no', [], 'QUERY_EMPTY'],
  ['NUL in the text', 'SELECT 1 -- \0', [], 'QUERY_INVALID_TEXT'],
  ['too few parameters', 'SELECT $1::int, $2::int', [1], 'QUERY_PARAMETER_COUNT'],
  ['too many parameters', 'SELECT $1::int', [1, 2], 'QUERY_PARAMETER_COUNT'],
  ['more parameters than there can be', 'SELECT $65536::int', TOO_MANY, 'QUERY_PARAMETER'],
  ['NaN', 'SELECT $1::float8', [NaN], 'QUERY_PARAMETER'],
  ['Infinity', 'SELECT $1::float8', [Infinity], 'QUERY_PARAMETER'],
  ['undefined', 'SELECT $1::int', [undefined], 'QUERY_PARAMETER'],
  ['NaN in an array', 'SELECT $1::float8[]', [[1, [NaN]]], 'QUERY_PARAMETER'],
  ['undefined in an array', 'SELECT $1::int[]', [[1, undefined]], 'QUERY_PARAMETER'],
  ['a hole in an array', 'SELECT $1::int[]', [Array(2)], 'QUERY_PARAMETER'],
  ['a function', 'SELECT $1::text', [() => 1], 'QUERY_PARAMETER'],
  ['no text for its type', 'SELECT $1::int', ['one'], '22P02'],
  ['a table that is not there', 'SELECT * FROM nowhere', [], '42P01'],
  ['what fails at a row', 'SELECT 1 / (id - 1) FROM item', [], '22012'],
];

describe('bad input', () => {
  const optimizers = new OpenOptimizers();
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  let store: MemoryResultStore;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(`
      CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1), (2);
      CREATE FUNCTION wait() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN 1; END';
      CREATE VIEW slow AS SELECT id + wait() AS id FROM item;
      CREATE SCHEMA "Od""d"; CREATE TABLE "Od""d"."sel ect" ("fr""om" int); INSERT INTO "Od""d"."sel ect" VALUES (1)`);
  });
  const open = (pool: object = {}) => {
    store = new MemoryResultStore();
    return optimizers.open(database, {
      store,
      pool: { min: 1, max: 6, reserve: 1, acquireTimeoutMs: 30_000, ...pool },
    });
  };
  beforeEach(async () => {
    optimizer = await open();
  });
  afterEach(() => optimizers.close());
  afterAll(() => database.drop());

  /** Rejects with the code, keeps nothing, and has all connections afterwards. */
  const refuses = async (code: string, sql: string, parameters: unknown[], options: ExecuteOptions = {}) => {
    const run = optimizer.execute(sql, parameters, { cache: true, ...options });
    await expect(run).rejects.toMatchObject({ code });
    expect(store.size).toEqual({ entries: 0, bytes: 0 });
    expect((await optimizer.execute('SELECT count(*)::int AS n FROM item')).rows).toEqual([{ n: 2 }]);
    // One whose statement was refused comes back when the server is ready for the next.
    await until(() => optimizer.pool.statistics().inUse === 0);
    expect(optimizer.pool.statistics().closed).toMatchObject({ broken: 0, busy: 0 });
  };

  it.each(REFUSED)('refuses %s', async (_name, sql, parameters, code) => {
    await refuses(code, sql, parameters);
  });

  it('cancels what takes longer than the call, or the pool, gives it', async () => {
    await refuses('QUERY_TIMEOUT', 'SELECT id FROM slow', [], { timeoutMs: 50 });
    optimizer = await open({ statementTimeoutMs: 500 });
    await refuses('QUERY_TIMEOUT', 'SELECT id FROM slow', []);
    // Of somebody else, who has no limit to tell of.
    optimizer = await open({ statementTimeoutMs: 60_000 });
    const find = `SELECT pid FROM pg_stat_activity WHERE query = 'SELECT id FROM slow' AND state = 'active'`;
    const cancelled = refuses('57014', 'SELECT id FROM slow', []);
    await until(async () => (await database.run(find)).length > 0);
    await database.run(`SELECT pg_cancel_backend(pid) FROM (${find}) AS found`);
    await cancelled;
  });

  it('sets nothing for a statement but settings with a dot', async () => {
    await refuses('QUERY_VARIABLE', 'SELECT id FROM item', [], { variables: { role: 'x' } });
  });

  it('says what to do', async () => {
    const run = (parameters: unknown[]) => optimizer.execute('SELECT $1::int[]', parameters);
    await expect(run([undefined])).rejects.toThrow('The parameter $1 is undefined; give null for NULL');
    await expect(run([[1, undefined]])).rejects.toThrow(
      'The parameter $1 holds an element that is undefined; give null for NULL',
    );
    await expect(optimizer.execute('SELECT $65536::int', TOO_MANY)).rejects.toThrow('give an array');
  });

  it('takes one statement with its end', async () => {
    expect((await optimizer.execute('SELECT 1 AS one; -- that is all')).rows).toEqual([{ one: 1 }]);
  });

  it('hands out a million rows, and does not keep them', async () => {
    const sql = 'SELECT n FROM generate_series(1, $1::int) AS n';
    const { rows } = await optimizer.execute(sql, [MILLION], { cache: true });
    expect(rows).toHaveLength(MILLION);
    expect(rows.at(-1)).toEqual({ n: MILLION });
    expect(store.size.entries).toBe(0);
    expect(optimizer.report().cache).toMatchObject({ tooLarge: 1, misses: 1 });
  });

  it('streams a million rows to the last one', async () => {
    let [count, sum] = [0, 0];
    const sql = 'SELECT n FROM generate_series(1, $1::int) AS n';
    for await (const { n } of optimizer.stream<{ n: number }>(sql, [MILLION])) {
      count++;
      sum += n;
    }
    expect([count, sum]).toEqual([MILLION, (MILLION * (MILLION + 1)) / 2]);
    await until(() => optimizer.pool.statistics().inUse === 0);
    expect(optimizer.pool.statistics().unfinishedTransactions).toBe(0);
  });

  it('gives the connection back when a stream fails in the middle, or its reader does', async () => {
    const read = async (sql: string, look: (row: object) => void) => {
      for await (const row of optimizer.stream<object>(sql)) look(row);
    };
    const failing = 'SELECT 1 / (1500 - n) AS n FROM generate_series(1, 2000) AS n';
    await expect(read(failing, () => undefined)).rejects.toMatchObject({ code: '22012' });
    const reader = () => {
      throw new Error('the reader');
    };
    await expect(read('SELECT 1', reader)).rejects.toThrow('the reader');
    expect((await optimizer.execute('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await until(() => optimizer.pool.statistics().inUse === 0);
  });

  it('knows names with quotes, blanks and capitals', async () => {
    const name = { schema: 'Od"d', name: 'sel ect' };
    for (const it of installChangeTriggers([name])) await database.run(it);
    const sql = 'SELECT "fr""om" AS n FROM "Od""d"."sel ect"';
    const read = () => optimizer.execute(sql, [], { cache: true });
    const cached = async () => {
      await read();
      expect((await read()).source).toBe('cache');
    };
    await cached();
    await optimizer.invalidateTable(name);
    expect((await read()).source).toBe('database');
    await optimizer.execute('UPDATE "Od""d"."sel ect" SET "fr""om" = 2');
    expect(await read()).toMatchObject({ rows: [{ n: 2 }], source: 'database' });
    await cached();
    await database.run('UPDATE "Od""d"."sel ect" SET "fr""om" = 3');
    await optimizer.catchUp();
    expect((await read()).rows).toEqual([{ n: 3 }]);
    for (const it of ['sel ect', 'Od"d.sel ect', '', '"sel ect"'])
      await expect(optimizer.invalidateTable(it)).rejects.toMatchObject({ code: 'QUERY_UNKNOWN_TABLE' });
  });
});
