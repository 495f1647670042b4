import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { analyse } from '../src/analysis/analyse.js';
import { type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { withQueryTag } from '../src/tap/query-tag.js';
import { type SlowQuery } from '../src/slow-queries/slow-query.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const SCHEMA = `
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int NOT NULL, name text NOT NULL);
  INSERT INTO file SELECT n, CASE WHEN n % 2 = 0 THEN 0 ELSE n END, 'file ' || n FROM generate_series(1, 300000) n;
  CREATE INDEX file_by_workspace ON file (workspace_id);
  CREATE TABLE effect (n int);
  CREATE SEQUENCE ticket;
  CREATE TABLE "we""ird'; DROP TABLE file; --" ("co""l; --" int);
`;
/** Everything is slow, and there are tokens for all of it. */
const EAGER = {
  thresholdMs: 0,
  refreshMs: 3_600_000,
  sample: { perMinute: 10_000, burst: 1_000, intervalMs: 0 },
} as const;

/** Without an index it takes so much longer that no mood of the machine is taken for it, nor it for a mood. */
const tenTimes = (aggregate: string) =>
  `SELECT (SELECT ${aggregate}(name) FROM file WHERE workspace_id = $1::int + n) FROM generate_series(1, 10) n`;

type SlowOptions = NonNullable<CreateQueryOptimizerOptions['slowQueries']>;

describe('slow queries', () => {
  let database: TestDatabase;
  const optimizers = new OpenOptimizers();
  const open = (slowQueries: SlowOptions = {}, options: Partial<CreateQueryOptimizerOptions> = {}) =>
    optimizers.open(database, {
      // One process for each statement, so that the time of a plan is its own.
      pool: {
        min: 1,
        max: 6,
        reserve: 1,
        acquireTimeoutMs: 30_000,
        session: { max_parallel_workers_per_gather: 0, jit: false },
      },
      slowQueries: { ...EAGER, serverStatistics: false, ...slowQueries },
      ...options,
    });
  const slow = async (optimizer: QueryOptimizer, part: string): Promise<SlowQuery> => {
    await optimizer.slowQueries.settled();
    const found = optimizer.slowQueries.report(500).queries.find((it) => it.sql.includes(part));
    if (!found) throw new Error(`no slow query holds ${part}`);
    return found;
  };

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE file');
  });
  afterEach(() => optimizers.close());
  afterAll(() => database.drop());

  it('tells what was slow, how often, and with which plan', async () => {
    const optimizer = await open();
    for (const id of [1, 2, 3]) await optimizer.execute('SELECT name FROM file WHERE id = $1', [id]);
    const found = await slow(optimizer, 'SELECT name FROM file');
    expect(found).toMatchObject({
      source: 'application',
      calls: 3,
      slowCalls: 3,
      rows: 3,
      errors: 0,
      kind: 'select',
    });
    expect(found.p99Ms).toBeGreaterThanOrEqual(found.p50Ms ?? Infinity);
    expect(found.totalMs).toBeCloseTo(found.meanMs * 3);
    expect(found.plans).toHaveLength(1);
    expect(found.plans[0]?.outline).toBe('Index Scan using file_pkey on file');
    expect(found.buffers).toMatchObject({ source: 'sample' });
    expect((found.buffers?.hitBlocks ?? 0) + (found.buffers?.readBlocks ?? 0)).toBeGreaterThan(0);
    expect(found.planProblem).toBeNull();
    expect(optimizer.report().slowQueries.queries).toContainEqual(found);
    expect(optimizer.slowQueries.workload()).toContainEqual(
      expect.objectContaining({ calls: 3, parameters: [3], text: 'SELECT name FROM file WHERE id = $1' }),
    );
  });

  it('sees a statement that is slow only sometimes', async () => {
    const optimizer = await open({ thresholdMs: 300 });
    const sql = 'SELECT pg_sleep($1)';
    await optimizer.execute(sql, [0]);
    expect(optimizer.slowQueries.report().queries.map((it) => it.sql)).not.toContain('SELECT $1');
    await optimizer.execute(sql, [0.31]);
    for (let run = 0; run < 20; run++) await optimizer.execute(sql, [0]);
    const found = await slow(optimizer, 'pg_sleep');
    expect(found.calls).toBe(22);
    expect(found.slowCalls).toBeLessThan(22);
    expect(found.maxMs).toBeGreaterThanOrEqual(300);
    // It has effects for all that is known, so it is not run a second time.
    expect(found.planProblem).toBe('not executed: it may do more than read');
    expect(found.plans[0]?.outline).toBe('Result');
  });

  it('has thresholds for a statement, and for what is tagged', async () => {
    const never = 3_600_000;
    const { fingerprint } = analyse('SELECT id FROM file LIMIT 1');
    const optimizer = await open({ thresholdMs: never, thresholds: { [fingerprint]: 0, report: 0 } });
    await optimizer.execute('SELECT id FROM file LIMIT 1');
    await optimizer.execute('SELECT name FROM file LIMIT 1');
    await withQueryTag('report', () => optimizer.execute('SELECT n FROM effect LIMIT 1'));
    await withQueryTag('else', () => optimizer.execute('SELECT last_value FROM ticket'));
    await optimizer.slowQueries.settled();
    const found = optimizer.slowQueries.report().queries.map((it) => [it.sql, it.tags]);
    expect(found.sort()).toEqual([
      ['SELECT id FROM file LIMIT $1', []],
      ['SELECT n FROM effect LIMIT $1', ['report']],
    ]);
  });

  it('runs nothing a second time that may do more than read', async () => {
    const optimizer = await open();
    const texts = [
      'INSERT INTO effect VALUES (1)',
      'WITH added AS (INSERT INTO effect VALUES (2) RETURNING n) SELECT n FROM added',
      'UPDATE effect SET n = n + 10',
      `SELECT nextval('ticket')`,
      'SELECT n FROM effect FOR UPDATE',
      'DELETE FROM effect WHERE n > 11',
      'CREATE TABLE made (n int)',
      'DROP TABLE made',
    ];
    for (const it of texts) await optimizer.execute(it);
    await optimizer.slowQueries.settled();
    expect(await database.run('SELECT n FROM effect')).toEqual([{ n: 11 }]);
    expect(await database.run('SELECT last_value::int AS n, is_called FROM ticket')).toEqual([
      { n: 1, is_called: true },
    ]);
    const refused = 'not executed: it may do more than read';
    const ours = optimizer.slowQueries.report().queries.filter((it) => /effect|nextval|made/.test(it.sql));
    expect(ours.map((it) => [it.plans.length, it.planProblem]).sort()).toEqual([
      ...Array.from({ length: 2 }, () => [0, null]),
      ...Array.from({ length: 6 }, () => [1, refused]),
    ]);
  });

  it('finds a plan that became worse, and not one that other values have', async () => {
    const optimizer = await open();
    const sql = 'SELECT count(name) FROM file WHERE workspace_id = $1';
    await optimizer.execute(sql, [7]);
    await slow(optimizer, 'count');
    await optimizer.execute(sql, [0]);
    const skewed = await slow(optimizer, 'count');
    expect(skewed.plans.map((it) => /Seq Scan|Index/.exec(it.outline)?.[0])).toEqual(['Index', 'Seq Scan']);
    expect(skewed.regression).toBeNull();

    const other = tenTimes('max');
    const max = async (workspace: number) => {
      await optimizer.execute(other, [workspace]);
      return slow(optimizer, 'max');
    };
    for (const workspace of [7, 9, 11]) await max(workspace);
    await database.run('DROP INDEX file_by_workspace');
    let worse = await max(9);
    // A machine may be busy with something else at any one of the runs.
    await until(async () => (worse = await max(9)).regression !== null);
    await database.run('CREATE INDEX file_by_workspace ON file (workspace_id)');
    expect(worse.regression).toMatchObject({ evidence: 'same parameters', sql: worse.sql });
    expect(worse.regression?.factor).toBeGreaterThan(2);
    expect(optimizer.slowQueries.report().regressions).toBe(1);
    expect((await max(9)).regression).toBeNull();
  });

  it('notices another plan before anybody has waited for it', async () => {
    const optimizer = await open({ thresholdMs: 3_600_000 });
    const sql = tenTimes('min');
    await optimizer.execute(sql, [7]);
    const refreshed = async () => {
      await optimizer.slowQueries.refresh();
      await optimizer.slowQueries.settled();
    };
    for (let turn = 0; turn < 3; turn++) await refreshed();
    expect(optimizer.slowQueries.counts.regressions).toBe(0);
    await database.run('DROP INDEX file_by_workspace');
    await until(async () => {
      await refreshed();
      return optimizer.slowQueries.counts.regressions === 1;
    });
    await database.run('CREATE INDEX file_by_workspace ON file (workspace_id)');
    expect(optimizer.slowQueries.report().queries).toEqual([]);
  });

  it('keeps its history over a restart, without the values', async () => {
    const history = { install: true, schema: 'public' };
    const first = await open({ history });
    const second = await open({ history });
    for (const it of [first, second, first])
      await it.execute(`SELECT id FROM file WHERE name <> 'secret' AND id = $1`, [1]);
    await slow(first, 'name <>');
    await optimizers.close();
    const third = await open({ history });
    // What is known of it is enough for an advisor.
    expect(third.slowQueries.workload().map((it) => [it.text, it.parameters, it.calls])).toEqual([
      ['SELECT id FROM file WHERE name <> $2 AND id = $1', undefined, 3],
    ]);
    await third.execute(`SELECT id FROM file WHERE name <> 'other' AND id = $1`, [1]);
    const found = await slow(third, 'name <>');
    expect(found).toMatchObject({ calls: 4, slowCalls: 4, rows: 4, source: 'application' });
    expect(found.plans[0]?.samples).toBeGreaterThanOrEqual(2);
    expect(found.p95Ms).toBeGreaterThan(0);
    expect(found.lastSlowAt).toBeInstanceOf(Date);
    expect(third.slowQueries.report().degraded).toEqual([]);
    const kept = await database.run(
      'SELECT h::text || p::text AS row FROM peregrine_slow_queries h, peregrine_query_plans p',
    );
    expect(JSON.stringify(kept)).not.toContain('secret');
    // The time of retention is over.
    await optimizers.close();
    await database.run(`UPDATE peregrine_slow_queries SET hour = hour - interval '15 days'`);
    const fourth = await open({ history });
    expect(fourth.slowQueries.report().queries).toEqual([]);
    await fourth.execute('SELECT 1');
    await optimizers.close();
    expect(
      await database.run(
        `SELECT count(*)::int AS n FROM peregrine_slow_queries WHERE hour < now() - interval '14 days'`,
      ),
    ).toEqual([{ n: 0 }]);
    await database.run('DROP TABLE peregrine_slow_queries, peregrine_query_plans');
  });

  it('explains hostile texts, and never more than one statement', async () => {
    const optimizer = await open();
    const texts = [
      `SELECT "co""l; --" FROM "we""ird'; DROP TABLE file; --" /* */ -- '; DROP TABLE file;`,
      `/* '; DROP TABLE file; -- */ SELECT 'it''s; COMMIT; DROP TABLE file; --' AS text FROM effect`,
      `SELECT $tag$; COMMIT; DROP TABLE file; $tag$ AS dollar FROM effect -- ) TO PROGRAM 'x'`,
      `SELECT E'\\'; COMMIT; DROP TABLE file; --' AS escaped FROM effect /* /* nested */ ; DROP TABLE file */`,
    ];
    for (const it of texts) await optimizer.execute(it);
    await optimizer.slowQueries.settled();
    const found = optimizer.slowQueries.report().queries.filter((it) => /effect|ird/.test(it.sql));
    expect(found.map((it) => [it.plans.length, it.planProblem])).toEqual(found.map(() => [1, null]));
    // To a server that reads backslashes in another way it is two statements. The program has sent them; we send none.
    await database.run('DELETE FROM effect');
    await database.run(`ALTER DATABASE ${database.name} SET standard_conforming_strings = off`);
    const lenient = await open();
    await lenient.execute(`SELECT 'a\\' || '; INSERT INTO effect VALUES (99); --' AS twofold FROM ticket`);
    const { planProblem } = await slow(lenient, 'twofold');
    await database.run(`ALTER DATABASE ${database.name} RESET standard_conforming_strings`);
    expect(planProblem).toContain('cannot insert multiple commands');
    expect(await database.run('SELECT n FROM effect')).toEqual([{ n: 99 }]);
    expect(await database.run('SELECT 1 AS one FROM file LIMIT 1')).toEqual([{ one: 1 }]);
  });

  it('goes on when a table is dropped in the middle', async () => {
    const optimizer = await open();
    await database.run('CREATE TABLE passing AS SELECT 1 AS n');
    // Its plan is asked for when the other connection is free: the table is gone by then.
    await optimizer.execute('WITH gone AS (SELECT n FROM passing) SELECT * FROM gone');
    await slow(optimizer, 'passing');
    await database.run('DROP TABLE passing');
    await expect(
      optimizer.execute('WITH gone AS (SELECT n FROM passing) SELECT * FROM gone'),
    ).rejects.toThrow();
    const found = await slow(optimizer, 'passing');
    expect(found).toMatchObject({ errors: 1, calls: 2, planProblem: expect.stringContaining('(42P01)') });
    expect(found.plans).toHaveLength(1);
  });

  it('waits for no lock, and gives up what takes too long', async () => {
    const optimizer = await open({ sample: { ...EAGER.sample, timeoutMs: 50 } });
    const sql = 'SELECT count(n) FROM effect';
    await optimizer.execute(sql);
    await optimizer.slowQueries.settled();
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN; LOCK TABLE effect IN ACCESS EXCLUSIVE MODE');
      await optimizer.slowQueries.refresh();
      // Whichever of the two limits comes first.
      expect((await slow(optimizer, 'count(n)')).planProblem).toMatch(/\((55P03|57014)\)/);
      await client.query('ROLLBACK');
    });
    await optimizer.execute('SELECT sum(n) FROM generate_series(1, 2000000) AS n');
    expect((await slow(optimizer, 'sum(n)')).planProblem).toBe('not executed: it takes more than 50 ms');
  });

  it('says why it keeps no history: no tables, no right, a server that only reads', async () => {
    const reason = async (options: SlowOptions, url?: string) => {
      const optimizer = await open(options, url === undefined ? {} : { connectionString: url });
      await optimizer.execute('SELECT id FROM file LIMIT 1');
      await optimizer.slowQueries.refresh();
      const { degraded, queries } = optimizer.slowQueries.report();
      expect(queries.length).toBeGreaterThan(0);
      return degraded.find((it) => it.part === 'history')?.reason;
    };
    const install = { history: { install: true } };
    expect(await reason({})).toContain('installSlowQueryHistory()');
    expect(await reason({ history: { install: true, schema: 'no such"schema' } })).toContain('(3F000)');
    await database.run(`REVOKE CREATE ON SCHEMA public FROM PUBLIC;
      CREATE ROLE ${database.name}_reader LOGIN PASSWORD 'reader'; GRANT SELECT ON file TO ${database.name}_reader`);
    const url = Object.assign(new URL(database.url), {
      username: `${database.name}_reader`,
      password: 'reader',
    });
    expect(await reason(install, url.href)).toContain('(42501)');
    await database.run(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    expect(await reason(install)).toContain('(25006)');
    await optimizers.close();
    await database.administer(`ALTER DATABASE ${database.name} RESET default_transaction_read_only`);
    await database.run(`REVOKE ALL ON file FROM ${database.name}_reader; DROP ROLE ${database.name}_reader`);
  });

  it('counts the statements of other programs, or says why it cannot', async () => {
    const optimizer = await open({ serverStatistics: true });
    const refreshed = async () => {
      await optimizer.slowQueries.refresh();
      await optimizer.slowQueries.settled();
      const { degraded, queries, serverSince } = optimizer.slowQueries.report(500);
      return {
        serverSince,
        queries,
        problem: degraded.find((it) => it.part === 'server statistics')?.reason,
      };
    };
    expect((await refreshed()).problem).toContain('CREATE EXTENSION');
    await database.run('CREATE SCHEMA "st""ats"; CREATE EXTENSION pg_stat_statements SCHEMA "st""ats"');
    const [{ preloaded } = { preloaded: false }] = await database.run<{ preloaded: boolean }>(
      `SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' AS preloaded`,
    );
    await database.run('SELECT count(*) FROM file WHERE name LIKE $1', ['%99%']);
    const { problem, queries, serverSince } = await refreshed();
    if (!preloaded) {
      // Not there without the preload, which this server was started without.
      expect(problem).toContain('(55000)');
      return;
    }
    expect(problem).toBeUndefined();
    expect(serverSince).toBeInstanceOf(Date);
    const find = (all: readonly SlowQuery[]) => all.find((it) => it.sql.includes('LIKE'));
    expect(find(queries)).toMatchObject({
      source: 'server',
      calls: 1,
      p50Ms: null,
      buffers: { source: 'server' },
    });
    // Some plans at a time, of what takes the most first.
    let plans = find(queries)?.plans ?? [];
    await until(async () => (plans = find((await refreshed()).queries)?.plans ?? []).length > 0);
    expect(plans[0]).toMatchObject({ isGeneric: true });
    // What others run is not for everybody to read.
    const guest = `${database.name}_guest`;
    await database.run(
      `CREATE ROLE ${guest} LOGIN PASSWORD 'guest'; GRANT USAGE ON SCHEMA "st""ats" TO ${guest}`,
    );
    const url = Object.assign(new URL(database.url), { username: guest, password: 'guest' });
    const other = await open({ serverStatistics: true }, { connectionString: url.href });
    await other.slowQueries.refresh();
    expect(other.slowQueries.report().degraded).toContainEqual({
      part: 'server statistics',
      reason: expect.stringMatching(/^\d+ statements of other roles are hidden: GRANT pg_read_all_stats$/),
    });
    await optimizers.close();
    await database.run(`DROP OWNED BY ${guest}; DROP ROLE ${guest}`);
  });

  it('stays within its bounds, and keeps what takes the most time', async () => {
    const optimizer = await open({ maxStatements: 10, sample: { enabled: false } });
    await optimizer.execute('SELECT count(*) FROM file a JOIN file b USING (id)');
    for (let width = 1; width <= 40; width++) {
      const columns = Array.from({ length: width }, (_, index) => `n AS c${index}`).join(', ');
      await optimizer.execute(`SELECT ${columns} FROM effect WHERE n = ${'1 + '.repeat(width)}1`);
    }
    const { queries } = optimizer.slowQueries.report(500);
    expect(queries.length).toBeLessThanOrEqual(10);
    expect(queries.filter((it) => it.sql.includes('JOIN'))).toHaveLength(1);
    expect(optimizer.slowQueries.workload().length).toBeLessThanOrEqual(10);
  });
});
