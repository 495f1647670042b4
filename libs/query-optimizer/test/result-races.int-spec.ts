import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client } from 'pg';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { MemoryResultStore } from '../src/result-cache/memory-result-store.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const COUNT = 'SELECT count(*)::int AS n FROM item';

describe('results, when things happen at the same time', () => {
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  const optimizers = new OpenOptimizers();

  const open = (options?: Partial<CreateQueryOptimizerOptions>) => optimizers.open(database, options);
  const read = async (sql: string, of = optimizer) => {
    const { rows, source } = await of.execute(sql, [], { cache: true });
    return { rows, source };
  };
  const cached = async (sql: string, of = optimizer) => {
    await read(sql, of);
    expect((await read(sql, of)).source).toBe('cache');
  };
  const use = (work: (client: Client) => Promise<unknown>) => optimizer.pool.use(work);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(`
      CREATE TABLE item (n int); CREATE TABLE parent (id int PRIMARY KEY);
      CREATE SCHEMA other; CREATE TABLE other.item (n int);
      CREATE FUNCTION go_elsewhere() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN PERFORM set_config('search_path', 'other', false); END $$`);
  });
  beforeEach(async () => {
    await database.run('TRUNCATE item, parent, other.item');
    optimizer = await open();
  });
  afterEach(() => optimizers.close());
  afterAll(async () => {
    await database.drop();
    await database.administer(`DROP ROLE IF EXISTS ${database.name}_reader`);
  });

  it('follows a transaction whose statements were sent behind each other', async () => {
    await cached(COUNT);
    await use((client) =>
      Promise.all([
        client.query('BEGIN'),
        client.query('INSERT INTO item VALUES (1)'),
        client.query('COMMIT'),
        client.query('INSERT INTO item VALUES (2)'),
      ]),
    );
    expect((await read(COUNT)).rows).toEqual([{ n: 2 }]);
  });

  it('waits with the invalidation for the commit that is sent behind the write', async () => {
    await cached(COUNT);
    await use(async (client) => {
      const begun = client.query('BEGIN');
      await client.query('INSERT INTO item VALUES (1)');
      await begun;
      expect((await read(COUNT)).source).toBe('cache');
      await client.query('COMMIT AND CHAIN');
      expect((await read(COUNT)).rows).toEqual([{ n: 1 }]);
      await client.query('INSERT INTO item VALUES (2)');
      expect((await read(COUNT)).source).toBe('cache');
      await client.query('COMMIT');
    });
    expect((await read(COUNT)).rows).toEqual([{ n: 2 }]);
  });

  it('takes a text with several statements for what it may be', async () => {
    await cached(COUNT);
    await use((client) => client.query('BEGIN; INSERT INTO item VALUES (1); COMMIT'));
    expect((await read(COUNT)).rows).toEqual([{ n: 1 }]);
  });

  it.each([
    ['SET', `SET search_path = other`],
    ['set_config', `SELECT set_config('search_path', 'other', false)`],
    ['a function', 'SELECT go_elsewhere()'],
  ])('knows that names mean other tables after %s', async (_name, change) => {
    const sql = 'SELECT count(*)::int AS n FROM other.item';
    await cached(sql);
    await use(async (client) => {
      await client.query(change);
      await client.query('INSERT INTO item VALUES (1)');
    });
    expect((await read(sql)).rows).toEqual([{ n: 1 }]);
    // The session is what it was.
    const { rows } = await optimizer.execute(`SELECT current_setting('search_path') AS path`);
    expect(rows).toEqual([{ path: '"$user", public' }]);
  });

  it('trusts nothing while a write goes on whose connection was lost', async () => {
    await cached(COUNT);
    const lease = await optimizer.pool.acquire();
    const writing = lease.client.query('INSERT INTO item SELECT 1 FROM pg_sleep(0.5)');
    const isRunning = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO item SELECT%' AND state = 'active'`;
    await until(async () => (await database.run(isRunning)).length > 0);
    // Given back while it runs, it is cut.
    lease.release();
    await expect(writing).rejects.toThrow();
    await until(async () => (await read(COUNT)).source === 'cache');
    expect((await read(COUNT)).rows).toEqual([{ n: 1 }]);
    expect(optimizer.report().cache.bypassed).toMatchObject({ WRITE_IN_DOUBT: expect.any(Number) });
  });

  it('runs nothing twice that writes, though it is a SELECT', async () => {
    const one = await open();
    const sql = 'WITH new AS (INSERT INTO item VALUES (1) RETURNING n) SELECT n FROM new';
    await use(async (client) => {
      await client.query('BEGIN; LOCK item IN ACCESS EXCLUSIVE MODE');
      const dying = one.execute(sql);
      const find = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'WITH new%' AND wait_event_type = 'Lock'`;
      await until(async () => (await database.run(find)).length > 0);
      await database.run(`SELECT pg_terminate_backend(pid) FROM (${find}) AS found`);
      await expect(dying).rejects.toMatchObject({ code: '57P01' });
      await client.query('ROLLBACK');
    });
    expect(await database.run(COUNT)).toEqual([{ n: 0 }]);
  });

  it('does not pass on the failure of a caller that had less time', async () => {
    const sql = 'SELECT count(*)::int AS n FROM item, (SELECT 1 FROM parent) AS p';
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK item IN ACCESS EXCLUSIVE MODE');
      const hasty = optimizer.execute(sql, [], { cache: true, timeoutMs: 100 });
      const patient = optimizer.execute(sql, [], { cache: true });
      await expect(hasty).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
      await client.query('COMMIT');
      expect((await patient).rows).toEqual([{ n: 0 }]);
    });
  });

  it('hands out no rows of another shape', async () => {
    const one = await open({ cache: { policy: () => ({}) } });
    const shaped = { text: 'SELECT 7 AS n FROM parent', rowMode: 'array' as const };
    await database.run('INSERT INTO parent VALUES (1)');
    await one.pool.use(async (client) => {
      expect((await client.query(shaped)).rows).toEqual([[7]]);
      expect((await client.query(shaped.text)).rows).toEqual([{ n: 7 }]);
      expect((await client.query(shaped)).rows).toEqual([[7]]);
    });
  });

  it('is right again within the bound when somebody else has changed the schema', async () => {
    const one = await open({ cache: { maxStalenessMs: 300 } });
    await until(async () => (await read(COUNT, one)).source === 'cache');
    await database.run(`
      CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item VALUES (9); RETURN NULL; END $$;
      CREATE TRIGGER copy AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION copy()`);
    // A transaction that is resolved by the old schema, and commits under the new one.
    await one.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('INSERT INTO parent VALUES (1)');
      const before = one.report().cache.misses;
      await until(async () => (await read(COUNT, one)) && one.report().cache.misses > before);
      await until(async () => (await read(COUNT, one)).source === 'cache');
      await client.query('COMMIT');
    });
    expect((await read(COUNT, one)).rows).toEqual([{ n: 1 }]);
    await one.execute('INSERT INTO parent VALUES (2)');
    expect((await read(COUNT, one)).rows).toEqual([{ n: 2 }]);
    await database.run('DROP TRIGGER copy ON parent');
  });

  it('knows after catching up what others have committed before', async () => {
    for (const it of installChangeTriggers([{ schema: null, name: 'item' }])) await database.run(it);
    const other = await open();
    for (let n = 1; n <= 20; n++) {
      await cached(COUNT);
      if (n % 2) await other.execute('INSERT INTO item VALUES ($1)', [n]);
      else await database.run('INSERT INTO item VALUES ($1)', [n]);
      await optimizer.catchUp();
      expect((await read(COUNT)).rows).toEqual([{ n }]);
    }
    const deaf = await open({ cache: { listen: false } });
    await expect(deaf.catchUp()).rejects.toMatchObject({ code: 'QUERY_NOT_LISTENING' });
  });

  it('is not trusted before it has begun to listen, nor after it is closed', async () => {
    const store = new MemoryResultStore();
    const one = await open({ store });
    await cached(COUNT, one);
    await one.close();
    await expect(read(COUNT, one)).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    expect(one.report().cache.bypassed).toEqual({ CLOSED: 1 });
  });

  it('closes while it opens, and leaves no connection', async () => {
    const names = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1 AND application_name = 'closing'`;
    for (let i = 0; i < 5; i++) {
      const one = await open({
        pool: { min: 4, max: 6, reserve: 1, acquireTimeoutMs: 30_000, applicationName: 'closing' },
      });
      const asked = Array.from({ length: 6 }, () => one.execute('SELECT 1').catch(() => undefined));
      await one.close();
      expect(one.pool.statistics()).toMatchObject({ size: 0, opening: 0 });
      await Promise.all(asked);
    }
    await until(async () => (await database.administer(names, [database.name]))[0]?.['n'] === 0);
  });

  it('shares a store with another role, and no rows with it', async () => {
    const role = `${database.name}_reader`;
    await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT ALL ON item TO ${role};
      ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON item USING (n % 2 = 1)`);
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'x' });
    const store = new MemoryResultStore();
    const [owner, reader] = [await open({ store }), await open({ store, connectionString: url.href })];
    await owner.execute('INSERT INTO item VALUES (1), (2), (3)');
    const of = async (one: QueryOptimizer) =>
      (await one.execute(COUNT, [], { cache: true, variables: {} })).rows;
    for (let i = 0; i < 3; i++) {
      expect(await of(owner)).toEqual([{ n: 3 }]);
      expect(await of(reader)).toEqual([{ n: 2 }]);
    }
    await Promise.all([owner.close(), reader.close()]);
    await database.run(`DROP POLICY odd ON item; ALTER TABLE item DISABLE ROW LEVEL SECURITY;
      DROP OWNED BY ${role}`);
  });

  it.each(['search_path', 'role', 'TimeZone', "app.x', 'y"])('sets no %s for a statement', async (name) => {
    const run = optimizer.execute('SELECT 1', [], { variables: { [name]: 'other' } });
    await expect(run).rejects.toMatchObject({ code: 'QUERY_VARIABLE', variable: name });
  });

  it('ends its own transaction when a statement with variables fails', async () => {
    const run = (sql: string) => optimizer.execute(sql, [], { variables: { 'app.tenant': '1' } });
    await expect(run('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await run('INSERT INTO item VALUES (5)');
    expect((await read(COUNT)).rows).toEqual([{ n: 1 }]);
    expect(optimizer.pool.statistics()).toMatchObject({ inUse: 0, unfinishedTransactions: 0 });
  });
});
