import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type Lease } from '../src/pool/lease.js';
import { type PoolOptionsInput } from '../src/pool/pool.options.js';
import { PriorityPool } from '../src/pool/priority-pool.js';
import { type QueryPriority, withQueryPriority } from '../src/pool/query-priority.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

/** And with patience for a busy machine. */
const SMALL = { min: 1, max: 4, reserve: 1, acquireTimeoutMs: 30_000 };

describe('PriorityPool', () => {
  let database: TestDatabase;
  const pools: PriorityPool[] = [];
  const warnings: string[] = [];

  const open = (options: Partial<PoolOptionsInput> = {}) => {
    const pool = new PriorityPool({ ...SMALL, connectionString: database.url, ...options });
    pools.push(pool);
    return pool;
  };
  const processId = async (lease: Lease) =>
    (await lease.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
  const kill = (pid: number) => database.administer('SELECT pg_terminate_backend($1)', [pid]);

  beforeAll(async () => {
    database = await TestDatabase.create();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((it: unknown) => void warnings.push(String(it)));
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((it) => it.close(0)));
    warnings.length = 0;
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await database.drop();
    await database.administer(`DROP ROLE IF EXISTS ${database.name}`);
  });

  it('opens nothing before it is asked, and the same connection serves one after the other', async () => {
    const pool = open();
    expect(pool.statistics()).toMatchObject({ size: 0, efficiency: 1 });
    for (let i = 0; i < 5; i++)
      expect((await pool.query('SELECT $1::int AS n', [i])).rows).toEqual([{ n: i }]);
    expect(pool.statistics()).toMatchObject({
      size: 1,
      idle: 1,
      inUse: 0,
      opened: 1,
      acquired: { normal: 5 },
    });
  });

  it('fills up to its minimum once it is used', async () => {
    const pool = open({ min: 3 });
    await pool.query('SELECT 1');
    await until(() => pool.statistics().size === 3);
  });

  it('closes what is idle when it is told to, and nothing that is in use', async () => {
    const pool = open({ min: 3 });
    const lease = await pool.acquire();
    await until(() => pool.statistics().size === 3);
    expect(pool.releaseIdle()).toBe(2);
    expect(pool.statistics()).toMatchObject({ size: 1, idle: 0, inUse: 1 });
    lease.release();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('keeps its reserve for high priority', async () => {
    const pool = open({ max: 3, reserve: 1 });
    const low = [await pool.acquire({ priority: 'low' }), await pool.acquire({ priority: 'normal' })];
    const third = pool.acquire({ priority: 'normal' });
    await until(() => pool.statistics().waiting.normal === 1);
    const high = await pool.acquire({ priority: 'high' });
    expect(pool.statistics()).toMatchObject({ size: 3, inUse: 3, waiting: { normal: 1 } });
    high.release();
    await pool.query('SELECT 1', [], { priority: 'high' });
    // The reserve was free all the time.
    expect(pool.statistics().waiting.normal).toBe(1);
    low[0]!.release();
    (await third).release();
    low[1]!.release();
  });

  it('serves by priority, and what has waited long enough before what is more urgent', async () => {
    const pool = open({ max: 1, reserve: 0, slackMs: { normal: 60_000, low: 120_000 } });
    const first = await pool.acquire();
    const order: string[] = [];
    const ask = async (name: string, priority: QueryPriority) => {
      const lease = await pool.acquire({ priority, timeoutMs: 60_000 });
      order.push(name);
      lease.release();
    };
    const all = [ask('low', 'low'), ask('normal', 'normal'), ask('high', 'high'), ask('high 2', 'high')];
    first.release();
    await Promise.all(all);
    expect(order).toEqual(['high', 'high 2', 'normal', 'low']);

    const aged = open({ max: 1, reserve: 0, slackMs: { normal: 1, low: 2 } });
    order.length = 0;
    const held = await aged.acquire();
    const low = aged.acquire({ priority: 'low' }).then((it) => (order.push('low'), it.release()));
    await until(() => aged.statistics().waiting.low === 1);
    const since = performance.now();
    await until(() => performance.now() - since > 5);
    const high = aged.acquire({ priority: 'high' }).then((it) => (order.push('high'), it.release()));
    held.release();
    await Promise.all([low, high]);
    expect(order).toEqual(['low', 'high']);
  });

  it('takes the priority from around the call', async () => {
    const pool = open();
    await withQueryPriority('low', async () => {
      await pool.query('SELECT 1');
      await withQueryPriority('high', () => pool.query('SELECT 1'));
    });
    expect(pool.statistics().acquired).toEqual({ high: 1, normal: 0, low: 1 });
  });

  it('tells when none became free in time, and takes nothing', async () => {
    const pool = open({ max: 1, reserve: 0 });
    const lease = await pool.acquire();
    await expect(pool.acquire({ timeoutMs: 20 })).rejects.toMatchObject({
      code: 'POOL_ACQUIRE_TIMEOUT',
      priority: 'normal',
      message: 'No connection became free within 20 ms; the pool has 1',
    });
    expect(pool.statistics()).toMatchObject({ timeouts: 1, waiting: { normal: 0 } });
    lease.release();
    await pool.query('SELECT 1');
  });

  it('refuses when too many wait, the least urgent first', async () => {
    const pool = open({ max: 1, reserve: 0, maxWaiting: 2 });
    const lease = await pool.acquire();
    const low = pool.acquire({ priority: 'low' });
    const normal = pool.acquire({ priority: 'normal' });
    await expect(pool.acquire({ priority: 'low' })).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' });
    const high = pool.acquire({ priority: 'high' });
    await expect(low).rejects.toMatchObject({ code: 'POOL_EXHAUSTED', priority: 'low' });
    lease.release();
    (await high).release();
    (await normal).release();
    expect(pool.statistics().refused).toBe(2);
  });

  it('lets a caller give up waiting', async () => {
    const pool = open({ max: 1, reserve: 0 });
    const lease = await pool.acquire();
    const abort = new AbortController();
    const waiting = pool.acquire({ signal: abort.signal });
    abort.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(pool.acquire({ signal: abort.signal })).rejects.toThrow('gone');
    lease.release();
    expect(pool.statistics()).toMatchObject({ inUse: 0, waiting: { normal: 0 } });
  });

  it('grows when somebody waits, and shrinks when nobody does', async () => {
    const pool = open({ min: 1, max: 4, reserve: 0, growAfterMs: 1, idleTimeoutMs: 1 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    expect(pool.statistics()).toMatchObject({ size: 4, inUse: 4 });
    for (const it of leases) it.release();
    await until(() => pool.statistics().size === 1);
    expect(pool.statistics().closed.idle).toBe(3);
  });

  it('does not open another one while those that are open come back fast enough', async () => {
    const pool = open({ min: 1, max: 4, reserve: 0, growAfterMs: 60_000, acquireTimeoutMs: 50_000 });
    await Promise.all(Array.from({ length: 50 }, () => pool.query('SELECT 1')));
    expect(pool.statistics().opened).toBe(1);
  });

  it('rolls back what was left open, and closes what is still busy', async () => {
    const pool = open({ max: 1, reserve: 0 });
    await database.run('CREATE TABLE IF NOT EXISTS left_open (n int)');
    const lease = await pool.acquire();
    await lease.client.query('BEGIN');
    await lease.client.query('INSERT INTO left_open VALUES (1)');
    lease.release();
    expect((await pool.query('SELECT * FROM left_open')).rows).toEqual([]);
    expect(pool.statistics()).toMatchObject({ unfinishedTransactions: 1, opened: 1 });

    const busy = await pool.acquire();
    const abandoned = busy.client.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);
    await until(
      async () =>
        (
          await database.run(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
          )
        ).length > 0,
    );
    busy.release();
    expect(await abandoned).toContain('terminated');
    await pool.query('SELECT 1');
    expect(pool.statistics().closed.busy).toBe(1);
  });

  it('replaces connections that the server has ended', async () => {
    const pool = open();
    const idle = await pool.acquire();
    const pid = await processId(idle);
    idle.release();
    await kill(pid);
    await until(() => pool.statistics().closed.broken === 1);
    expect((await pool.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);

    const used = await pool.acquire();
    await kill(await processId(used));
    await expect(used.client.query('SELECT 1')).rejects.toThrow();
    used.release();
    expect((await pool.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  });

  it('runs a read once more when its connection was lost, and a write not', async () => {
    const pool = open({ max: 1, reserve: 0 });
    const suicide = `SELECT CASE WHEN (SELECT count(*) FROM killed) = 0 THEN die() ELSE 1 END AS n`;
    await database.run('CREATE TABLE killed (n int)');
    // The note is written over a connection of its own, so it survives.
    await database.run('CREATE EXTENSION IF NOT EXISTS dblink');
    await database.run(`CREATE FUNCTION die() RETURNS int LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM dblink_exec('${database.url}', 'INSERT INTO killed VALUES (1)');
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(60);
        RETURN 0;
      END $$`);
    expect((await pool.query(suicide, [], { isRead: true })).rows).toEqual([{ n: 1 }]);
    await database.run('TRUNCATE killed');
    await expect(pool.query(suicide)).rejects.toThrow();
  });

  it.each([
    ['user', (url: URL) => (url.username = 'nobody_at_all')],
    ['database', (url: URL) => (url.pathname = '/no_such_database')],
  ])('tells at once when there is no such %s', async (_what, change) => {
    const url = new URL(database.url);
    change(url);
    const pool = open({ connectionString: url.href, acquireTimeoutMs: 60_000 });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'POOL_CONNECT' });
  });

  it('names the reason when nothing listens', async () => {
    const pool = open({
      connectionString: 'postgres://postgres@127.0.0.1:1/postgres',
      acquireTimeoutMs: 200,
    });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({
      code: 'POOL_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(pool.statistics().openFailures).toBeGreaterThan(0);
  });

  it('sets up every session, and refuses what the server does not take', async () => {
    const pool = open({ session: { work_mem: '7MB', random_page_cost: 1.1, jit: false, 'my.tag': 'x' } });
    const { rows } = await pool.query(
      `SELECT current_setting('work_mem') AS a, current_setting('random_page_cost') AS b, current_setting('jit') AS c,
              current_setting('my.tag') AS d, current_setting('statement_timeout') AS e`,
    );
    expect(rows).toEqual([{ a: '7MB', b: '1.1', c: 'off', d: 'x', e: '30s' }]);

    const wrong = open({ session: { work_memm: '7MB', random_page_cost: 'cheap', shared_buffers: '1GB' } });
    await expect(wrong.query('SELECT 1')).rejects.toMatchObject({
      code: 'POOL_INVALID_SETTINGS',
      problems: [
        'work_memm: there is no such setting',
        expect.stringMatching(/^random_page_cost: invalid value/),
        'shared_buffers: cannot be set by a session of this role',
      ],
    });
  });

  it('lives with the connections that the server has for it', async () => {
    await database.run(`CREATE ROLE ${database.name} LOGIN PASSWORD 'pool' CONNECTION LIMIT 2`);
    const url = new URL(database.url);
    url.username = database.name;
    url.password = 'pool';
    const pool = open({
      connectionString: url.href,
      min: 1,
      max: 4,
      reserve: 0,
      growAfterMs: 1,
      acquireTimeoutMs: 60_000,
    });
    const done = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await pool.query('SELECT $1::int AS n', [n])).rows[0]),
    );
    expect(done).toHaveLength(20);
    const leases = [await pool.acquire(), await pool.acquire()];
    const third = pool.acquire();
    await until(() => pool.statistics().capacity === 2);
    expect(pool.statistics().size).toBe(2);
    expect(pool.statistics().openFailures).toBeGreaterThan(0);
    leases[0]!.release();
    (await third).release();
    leases[1]!.release();
  });

  it('reports a connection that does not come back, with the place that took it', async () => {
    const pool = open({ leakAfterMs: 1 });
    async function forgetful() {
      return pool.acquire();
    }
    const lease = await forgetful();
    await until(() => pool.statistics().leaks === 1);
    expect(warnings.join()).toContain('forgetful');
    lease.release();
  });

  it('refuses a second release', async () => {
    const pool = open();
    const lease = await pool.acquire();
    lease.release();
    expect(() => lease.release()).toThrow(expect.objectContaining({ code: 'POOL_RELEASED_TWICE' }));
    await pool.query('SELECT 1');
  });

  it('waits for what is in use when it closes, and cuts it when that takes too long', async () => {
    const pool = open({ max: 1, reserve: 0 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const closing = pool.close();
    await expect(waiting).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    expect((await lease.client.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
    lease.release();
    await closing;
    expect(pool.statistics()).toMatchObject({ size: 0, closed: { shutdown: 1 } });

    const stuck = open();
    const held = await stuck.acquire();
    await stuck.close(0);
    await expect(held.client.query('SELECT 1')).rejects.toThrow();
  });

  it.each([
    [{ min: 5, max: 4 }, 'min: must not be above max'],
    [{ reserve: 4, max: 4 }, 'reserve: must be below max'],
    [{ max: 1.5 }, 'max: Invalid input: expected int, received number'],
    [
      { connectionString: 'mysql://secret@x' },
      'connectionString: expected postgres://user:password@host:port/database',
    ],
    [{ session: { 'work mem; drop': 1 } }, 'is no name of a setting'],
  ])('refuses the options %j', (options, problem) => {
    expect(() => open(options)).toThrow(problem);
  });

  it('serves high priority first however much of low priority there is', async () => {
    const pool = open({ min: 2, max: 2, reserve: 1, acquireTimeoutMs: 60_000, maxWaiting: 10_000 });
    let lowDone = 0;
    const flood = Array.from({ length: 300 }, () =>
      pool.query('SELECT pg_sleep(0.002)', [], { priority: 'low' }).then(() => lowDone++),
    );
    await until(() => lowDone > 5);
    const before = lowDone;
    for (let i = 0; i < 20; i++) await pool.query('SELECT 1', [], { priority: 'high' });
    // One low one runs at a time, so at most about as many ended as high ones were asked for.
    expect(lowDone - before).toBeLessThan(250);
    await Promise.all(flood);
    const { waits } = pool.statistics();
    expect(waits.high.sumMs / waits.high.count).toBeLessThan(waits.low.sumMs / waits.low.count);
  });
});
