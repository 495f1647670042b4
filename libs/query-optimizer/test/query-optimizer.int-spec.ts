import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { type ExecuteOptions } from '../src/execution/execute-options.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { poolDriver } from '../src/typeorm/index.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const SCHEMA = `
  CREATE TABLE workspace (id int PRIMARY KEY, name text);
  CREATE TABLE file (id int PRIMARY KEY, workspace_id int NOT NULL REFERENCES workspace ON DELETE CASCADE, name text);
  CREATE VIEW named AS SELECT f.id, f.name, w.name AS workspace FROM file f JOIN workspace w ON w.id = f.workspace_id;
  CREATE TABLE event (at date, n int) PARTITION BY RANGE (at);
  CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE TABLE log (n int);
  CREATE TABLE watched (n int);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$;
  CREATE TRIGGER note AFTER INSERT ON watched FOR EACH STATEMENT EXECUTE FUNCTION note();
  CREATE FUNCTION add_log() RETURNS void LANGUAGE sql AS $$ INSERT INTO log VALUES (2) $$;
  CREATE FUNCTION add_hidden() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO lo' || 'g VALUES (3)'; END $$;`;

const fileSchema = new EntitySchema<{ id: number; workspaceId: number; name: string }>({
  name: 'file',
  columns: {
    id: { type: 'int', primary: true },
    workspaceId: { type: 'int', name: 'workspace_id' },
    name: { type: 'text' },
  },
});

describe('QueryOptimizer', () => {
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  const optimizers = new OpenOptimizers();

  const open = (options?: Partial<CreateQueryOptimizerOptions>) => optimizers.open(database, options);
  const read = async (sql: string, parameters: unknown[] = [], options: ExecuteOptions = {}) => {
    const { rows, source } = await optimizer.execute(sql, parameters, { cache: true, ...options });
    return { rows, source };
  };
  /** Whether the write makes the read go to the database again. */
  const invalidates = async (sql: string, parameters: unknown[], write: () => Promise<unknown>) => {
    await read(sql, parameters);
    expect((await read(sql, parameters)).source).toBe('cache');
    await write();
    return (await read(sql, parameters)).source === 'database';
  };
  const write = (sql: string, parameters: unknown[] = []) => optimizer.execute(sql, parameters);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
  });
  beforeEach(async () => {
    await database.run('TRUNCATE workspace, file, event, log, watched');
    await database.run(`INSERT INTO workspace VALUES (1, 'one'), (2, 'two')`);
    await database.run(`INSERT INTO file VALUES (10, 1, 'a'), (20, 2, 'b')`);
    optimizer = await open();
  });
  afterEach(() => optimizers.close());
  afterAll(async () => {
    await database.drop();
    await database.administer(`DROP ROLE IF EXISTS ${database.name}_tenant`);
  });

  it('answers from the cache until something that was read is written', async () => {
    const sql = 'SELECT name FROM file WHERE id = $1';
    expect(await read(sql, [10])).toEqual({ rows: [{ name: 'a' }], source: 'database' });
    expect(await read(sql, [10])).toEqual({ rows: [{ name: 'a' }], source: 'cache' });
    await write(`UPDATE file SET name = 'c' WHERE id = 10`);
    expect(await read(sql, [10])).toEqual({ rows: [{ name: 'c' }], source: 'database' });
    expect(optimizer.report().cache).toMatchObject({ hits: 1, misses: 2 });
    const { durationMs } = await optimizer.execute('SELECT pg_sleep(0.1)');
    expect(durationMs).toBeGreaterThan(90);
  });

  it('leaves other tenants alone', async () => {
    const sql = 'SELECT * FROM file WHERE workspace_id = $1';
    const other = () =>
      invalidates(sql, [1], () =>
        write(`INSERT INTO file (id, workspace_id, name) VALUES ($1, 2, 'new')`, [21]),
      );
    expect(await other()).toBe(false);
    expect(
      await invalidates(sql, [1], () => write('UPDATE file SET name = $1 WHERE workspace_id = $2', ['x', 2])),
    ).toBe(false);
    expect(
      await invalidates(sql, [1], () => write('UPDATE file SET name = $1 WHERE workspace_id = $2', ['x', 1])),
    ).toBe(true);
    // It may be anybody's.
    expect(
      await invalidates(sql, [1], () => write('UPDATE file SET name = $1 WHERE id = $2', ['x', 20])),
    ).toBe(true);
    expect(await invalidates(sql, [1], () => write(`INSERT INTO file VALUES (11, 1, 'mine')`))).toBe(true);
    expect(await invalidates(sql, [1], () => write('DELETE FROM file WHERE workspace_id = 2'))).toBe(false);
    // It comes to this one from another.
    await write(`INSERT INTO file VALUES (30, 2, 'moves')`);
    expect(
      await invalidates(sql, [1], () => write('UPDATE file SET workspace_id = 1 WHERE workspace_id = 2')),
    ).toBe(true);
    expect((await read('SELECT count(*)::int AS n FROM file')).rows).toEqual([{ n: 3 }]);
  });

  it.each([
    ['a view', 'SELECT * FROM named', () => `UPDATE workspace SET name = 'x' WHERE id = 2`],
    ['a cascade', 'SELECT * FROM file', () => 'DELETE FROM workspace WHERE id = 2'],
    ['a partition', 'SELECT count(*) FROM event', () => `INSERT INTO event_2026 VALUES ('2026-05-05', 1)`],
    ['its parent', 'SELECT count(*) FROM event_2026', () => `INSERT INTO event VALUES ('2026-05-05', 1)`],
    ['TRUNCATE', 'SELECT * FROM file', () => 'TRUNCATE file'],
    ['TRUNCATE CASCADE', 'SELECT * FROM file', () => 'TRUNCATE workspace CASCADE'],
    ['a trigger', 'SELECT * FROM log', () => 'INSERT INTO watched VALUES (1)'],
    ['a function', 'SELECT * FROM log', () => 'SELECT add_log()'],
    ['a function that hides it', 'SELECT * FROM log', () => 'SELECT add_hidden()'],
    ['DO', 'SELECT * FROM log', () => `DO $$ BEGIN EXECUTE 'INSERT INTO log VALUES (4)'; END $$`],
    [
      'a CTE',
      'SELECT * FROM log',
      () => 'WITH new AS (INSERT INTO log VALUES (5) RETURNING n) SELECT * FROM new',
    ],
  ])('sees a write through %s', async (_name, sql, statement) => {
    expect(await invalidates(sql, [], () => write(statement()))).toBe(true);
    expect((await read(sql)).rows).toEqual(await database.run(sql));
  });

  it('sees a write through MERGE, on a server that knows it', async () => {
    const merge =
      'MERGE INTO log USING (SELECT 6 AS n) s ON log.n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.n)';
    const [server] = await database.run<{ server_version_num: string }>('SHOW server_version_num');
    if (Number(server?.server_version_num) < 150_000) await expect(write(merge)).rejects.toThrow('MERGE');
    else expect(await invalidates('SELECT * FROM log', [], () => write(merge))).toBe(true);
  });

  it('sees what a repository, a query builder and a transaction of TypeORM write', async () => {
    const source = new DataSource({
      type: 'postgres',
      url: database.url,
      entities: [fileSchema],
      driver: poolDriver(optimizer.pool),
    });
    await source.initialize();
    const files = source.getRepository(fileSchema);
    const sql = 'SELECT * FROM file ORDER BY id';
    expect(await invalidates(sql, [], () => files.save({ id: 11, workspaceId: 1, name: 'new' }))).toBe(true);
    expect(
      await invalidates(sql, [], () => files.createQueryBuilder().delete().where('id = 11').execute()),
    ).toBe(true);
    expect(
      await invalidates(sql, [], () => source.transaction((it) => it.update(fileSchema, 10, { name: 'y' }))),
    ).toBe(true);
    await source.destroy();
  });

  it('drops nothing for a transaction that is rolled back, and everything it wrote at its commit', async () => {
    const sql = 'SELECT * FROM file WHERE workspace_id = 1';
    await read(sql);
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query(`UPDATE file SET name = 'z' WHERE workspace_id = 1`);
      expect((await read(sql)).source).toBe('cache');
      await client.query('ROLLBACK');
      expect((await read(sql)).source).toBe('cache');
      await client.query('BEGIN');
      await client.query(`UPDATE file SET name = 'z' WHERE workspace_id = 1`);
      await client.query('SAVEPOINT s');
      await client.query('DELETE FROM workspace WHERE id = 2');
      await client.query('ROLLBACK TO s');
      await client.query('COMMIT');
    });
    expect(await read(sql)).toMatchObject({ source: 'database', rows: [{ name: 'z' }] });
  });

  it('keeps an answer to itself that a write overtook', async () => {
    const slow = read('SELECT (SELECT count(*)::int FROM log) AS n, pg_sleep(0.3)::text AS s');
    await slow;
    const sql = 'SELECT count(*)::int AS n FROM log';
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK log IN ACCESS EXCLUSIVE MODE');
      const waiting = read(sql);
      await until(async () => (await database.run('SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0);
      await client.query('INSERT INTO log VALUES (1)');
      await client.query('COMMIT');
      await waiting;
    });
    expect((await read(sql)).rows).toEqual([{ n: 1 }]);
  });

  it('sees what others write where the triggers are installed', async () => {
    for (const it of installChangeTriggers([{ schema: null, name: 'file' }])) await database.run(it);
    const other = await open();
    const sql = 'SELECT * FROM file ORDER BY id';
    await read(sql);
    await database.run(`UPDATE file SET name = 'outside' WHERE id = 10`);
    await until(async () => (await read(sql)).source === 'database');
    expect((await read(sql)).rows).toContainEqual({ id: 10, workspace_id: 1, name: 'outside' });
    await other.execute(`UPDATE file SET name = 'other process' WHERE id = 10`);
    await until(async () => (await read(sql)).rows.some((it) => it['name'] === 'other process'));
    // Its own writes are known more precisely.
    const mine = 'SELECT * FROM file WHERE workspace_id = 1';
    expect(
      await invalidates(mine, [], () => write('UPDATE file SET name = name WHERE workspace_id = 2')),
    ).toBe(false);
    await database.run('DROP TRIGGER peregrine_table_changed ON file');
  });

  it('trusts nothing while it cannot hear, and starts afresh when it can', async () => {
    const sql = 'SELECT count(*)::int AS n FROM log';
    await read(sql);
    const listeners = () =>
      database.run<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'peregrine changes' AND datname = current_database()`,
      );
    const [{ pid }] = (await listeners()) as [{ pid: number }];
    for (const it of installChangeTriggers([{ schema: null, name: 'log' }])) await database.run(it);
    // What is told meanwhile is told to nobody.
    await database.run(`SELECT pg_terminate_backend(${pid}); INSERT INTO log VALUES (1)`);
    await until(async () => (await read(sql)).source === 'database');
    await until(async () => (await read(sql)).source === 'cache');
    expect((await read(sql)).rows).toEqual([{ n: 1 }]);
    await database.run('DROP TRIGGER peregrine_table_changed ON log');
    expect(optimizer.report().cache.bypassed).toMatchObject({ NOT_LISTENING: expect.any(Number) });
  });

  it('follows changes of the schema', async () => {
    await read('SELECT * FROM log');
    await write('ALTER TABLE log ADD COLUMN more text');
    expect((await write('INSERT INTO log VALUES (1, $1)', ['x'])).rows).toEqual([]);
    expect((await read('SELECT * FROM log')).rows).toEqual([{ n: 1, more: 'x' }]);
    await write('CREATE OR REPLACE VIEW latest AS SELECT n FROM log');
    expect((await read('SELECT * FROM latest')).rows).toEqual([{ n: 1 }]);
    await write('CREATE OR REPLACE VIEW latest AS SELECT n FROM watched');
    expect((await read('SELECT * FROM latest')).rows).toEqual([]);
    await write('DROP VIEW latest');
    await write('ALTER TABLE log DROP COLUMN more');
  });

  it.each([
    ['a volatile function', 'SELECT random() FROM file', 'VOLATILE_FUNCTION'],
    ['the time', 'SELECT now(), id FROM file', 'TIME_DEPENDENT'],
    ['a lock', 'SELECT * FROM file FOR UPDATE', 'LOCKS_ROWS'],
    ['the session', `SELECT current_setting('app.tenant', true), id FROM file`, 'SESSION_DEPENDENT'],
    ['a system catalogue', 'SELECT count(*) FROM pg_class', 'SYSTEM_CATALOG'],
  ])('does not cache what depends on %s', async (_name, sql, reason) => {
    await read(sql);
    expect((await read(sql)).source).toBe('database');
    const { bypassed } = optimizer.report().cache;
    expect(bypassed).toEqual(reason === 'LOCKS_ROWS' ? {} : { [reason]: 2 });
  });

  it('respects row-level security', async () => {
    await database.run('ALTER TABLE file ENABLE ROW LEVEL SECURITY');
    await database.run(
      `CREATE POLICY mine ON file USING (workspace_id = nullif(current_setting('app.workspace', true), '')::int)`,
    );
    const role = `${database.name}_tenant`;
    await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    await database.run(`GRANT ALL ON file TO ${role}`);
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'x' });
    const one = await open({ connectionString: url.href });
    const sql = 'SELECT name FROM file ORDER BY id';
    const all = () => one.execute(sql, [], { cache: true });
    await all();
    expect((await all()).source).toBe('database');
    expect(one.report().cache.bypassed).toEqual({ SESSION_DEPENDENT: 2 });
    const of = async (tenant: string) => {
      const { rows, source } = await one.execute(sql, [], {
        cache: true,
        variables: { 'app.workspace': tenant },
      });
      return { rows, source };
    };
    for (const source of ['database', 'cache']) {
      expect(await of('1')).toEqual({ rows: [{ name: 'a' }], source });
      expect(await of('2')).toEqual({ rows: [{ name: 'b' }], source });
    }
    expect((await all()).rows).toEqual([]);
    await database.run('DROP POLICY mine ON file');
    await database.run('ALTER TABLE file DISABLE ROW LEVEL SECURITY');
  });

  it('tells apart parameters that only look alike, and keeps what is too large to itself', async () => {
    const sql = 'SELECT $1::text AS v, count(*)::int AS n FROM log';
    for (const it of ['1', 1, true, null]) expect((await read(sql, [it])).source).toBe('database');
    expect((await read(sql, ['1'])).source).toBe('cache');
    const large = `SELECT repeat('x', 2000000) AS v FROM file`;
    await read(large);
    expect((await read(large)).source).toBe('database');
    expect(optimizer.report().cache.tooLarge).toBe(2);
  });

  it('is invalidated by call, by table and by tag', async () => {
    const sql = 'SELECT * FROM named';
    expect(await invalidates(sql, [], () => optimizer.invalidateTable('workspace'))).toBe(true);
    expect(
      await invalidates(sql, [], () => optimizer.invalidateTable({ schema: 'public', name: 'file' })),
    ).toBe(true);
    expect(await invalidates(sql, [], () => optimizer.invalidateTable('log'))).toBe(false);
    await expect(optimizer.invalidateTable('nowhere')).rejects.toMatchObject({ code: 'QUERY_UNKNOWN_TABLE' });
    await read('SELECT 1 AS one FROM log', [], { tags: ['mine'] });
    await optimizer.invalidateTags(['mine']);
    expect((await read('SELECT 1 AS one FROM log', [], { tags: ['mine'] })).source).toBe('database');
    expect(await invalidates(sql, [], () => optimizer.clear())).toBe(true);
  });

  it('can be switched off while it runs', async () => {
    let enabled = true;
    const one = await open({ cache: { enabled: () => enabled } });
    const run = async () => (await one.execute('SELECT * FROM log', [], { cache: true })).source;
    await run();
    expect(await run()).toBe('cache');
    enabled = false;
    expect(await run()).toBe('database');
    enabled = true;
    expect(await run()).toBe('cache');
  });

  it.each([
    ['SELEC 1', [], 'QUERY_SYNTAX'],
    ['SELECT 1; DROP TABLE file', [], 'QUERY_MULTIPLE_STATEMENTS'],
    ['  -- nothing', [], 'QUERY_EMPTY'],
    ['SELECT $1', [], 'QUERY_PARAMETER_COUNT'],
    ['SELECT 1', [1], 'QUERY_PARAMETER_COUNT'],
    ['SELECT $1::float8', [NaN], 'QUERY_PARAMETER'],
    ['SELECT $1::text', [undefined], 'QUERY_PARAMETER'],
    ['SELECT $1::text', ['a\0b'], 'QUERY_PARAMETER'],
    ['SELECT $1::text', [() => 1], 'QUERY_PARAMETER'],
    ['SELECT $1::date', [new Date(NaN)], 'QUERY_PARAMETER'],
  ])('refuses %j with %j: %s', async (sql, parameters, code) => {
    const before = optimizer.report().queries.count;
    await expect(optimizer.execute(sql, parameters, { cache: true })).rejects.toMatchObject({ code });
    expect(optimizer.report().queries.count).toBe(before);
    await until(() => optimizer.pool.statistics().inUse === 0);
  });

  it('cancels a statement whose time is over, and goes on with its connection', async () => {
    const slow = optimizer.execute('SELECT pg_sleep(60)', [], { timeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ code: 'QUERY_TIMEOUT', timeoutMs: 50 });
    expect((await optimizer.execute('SELECT 1 AS n', [], { timeoutMs: 60_000 })).rows).toEqual([{ n: 1 }]);
    await until(() => optimizer.pool.statistics().inUse === 0);
    expect(optimizer.pool.statistics()).toMatchObject({ closed: { broken: 0, busy: 0 } });
  });

  it('streams a million rows a thousand at a time, and lets go when the reader does', async () => {
    let count = 0;
    for await (const { n } of optimizer.stream<{ n: number }>(
      'SELECT n FROM generate_series(1, $1) n',
      [1_000_000],
    )) {
      count++;
      if (n === 250_000) break;
    }
    expect(count).toBe(250_000);
    await until(() => optimizer.pool.statistics().inUse === 0);
    await expect(optimizer.stream('DELETE FROM log').next()).rejects.toMatchObject({
      code: 'QUERY_NOT_STREAMABLE',
    });
    const all: unknown[] = [];
    for await (const it of optimizer.stream('SELECT id FROM file ORDER BY id')) all.push(it);
    expect(all).toEqual([{ id: 10 }, { id: 20 }]);
  });

  it('reports what it did', async () => {
    await read('SELECT name FROM file WHERE id = 10');
    await read('SELECT name FROM file WHERE id = 20');
    await expect(optimizer.execute('SELECT 1 / (id - 10) FROM file')).rejects.toThrow('division by zero');
    const { queries, topQueries, pool } = optimizer.report();
    expect(queries).toMatchObject({ errors: 1 });
    expect(topQueries.find((it) => it.sql.includes('name'))).toMatchObject({
      calls: 2,
      rows: 2,
      kind: 'select',
    });
    expect(pool.size).toBeGreaterThan(0);
  });
});
