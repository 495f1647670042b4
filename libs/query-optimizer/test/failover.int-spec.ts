import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { createQueryOptimizer } from '../src/create-query-optimizer.js';
import { PriorityPool } from '../src/pool/priority-pool.js';
import { poolDriver } from '../src/typeorm/index.js';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfTestServer } from './server/server-programs.js';
import { until } from './until.js';

jest.setTimeout(60_000);

const PATIENT = { acquireTimeoutMs: 50_000 };

describe('A PostgreSQL that fails', () => {
  let server: PostgresServer;
  const closing: (() => Promise<unknown>)[] = [];
  const warnings: string[] = [];

  const openPool = (options: object) => {
    const pool = new PriorityPool({ connectionString: server.url, reserve: 0, ...options });
    closing.push(() => pool.close(0));
    return pool;
  };
  const openOptimizer = async () => {
    const optimizer = await createQueryOptimizer({
      connectionString: server.url,
      pool: { min: 3, max: 3, reserve: 0, ...PATIENT },
      cache: { maxStalenessMs: 60_000 },
    });
    closing.push(() => optimizer.close());
    return optimizer;
  };
  /** A connection of somebody else's. */
  const connect = async (url = server.url) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  /** The postmaster ends all others then, and recovers. */
  const crashWhileRunning = async (text: string) => {
    const other = await connect();
    const find = `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()`;
    await until(async () => {
      const { rows } = await other.query<{ pid: number }>(find, [`%${text}%`]);
      if (rows[0]) process.kill(rows[0].pid, 'SIGKILL');
      return rows.length > 0;
    });
    await other.end().catch(() => undefined);
  };

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((it: unknown) => void warnings.push(String(it)));
    server = await PostgresServer.create(await programsOfTestServer(), { max_connections: '16' });
    await server.start();
    const admin = await connect();
    await admin.query(`CREATE ROLE app LOGIN PASSWORD 'app'`);
    await admin.query('CREATE TABLE egg (id int)');
    await admin.query('INSERT INTO egg VALUES (1)');
    await admin.end();
  });
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await server.remove();
  });

  const LONG = 'SELECT count(*)::int AS n FROM egg, generate_series(1, 2000000)';

  it('is asked once more for what only reads, and not for what writes', async () => {
    const optimizer = await openOptimizer();
    const source = new DataSource({ type: 'postgres', url: server.url, driver: poolDriver(optimizer.pool) });
    await source.initialize();
    await until(() => optimizer.pool.statistics().idle === 3);
    const reads = [optimizer.execute(LONG, [], { variables: { 'app.x': '1' } }), source.query(LONG)];
    const write = optimizer.execute(`INSERT INTO egg SELECT 2 FROM (${LONG}) x`);
    const refused = expect(write).rejects.toThrow();
    await crashWhileRunning('INSERT INTO egg');
    await refused;
    expect(await Promise.all(reads)).toEqual([
      expect.objectContaining({ rows: [{ n: 2_000_000 }] }),
      [{ n: 2_000_000 }],
    ]);
    await until(() => optimizer.execute('SELECT * FROM egg').then(({ rows }) => rows.length === 1));
    await source.destroy();
  });

  it('is waited for while it is away, and everything goes on when it is back', async () => {
    const optimizer = await openOptimizer();
    const read = () => optimizer.execute('SELECT id FROM egg', [], { cache: true });
    await read();
    await server.kill();
    const waiting = [
      optimizer.execute('SELECT id FROM egg'),
      optimizer.execute('INSERT INTO egg SELECT 1 WHERE false').catch(() => 'not sent twice'),
    ];
    await until(() => optimizer.pool.statistics().openFailures > 0);
    await server.start();
    expect(await waiting[0]).toMatchObject({ rows: [{ id: 1 }] });
    await waiting[1];
    await until(async () => (await read()).source === 'cache');
    await optimizer.execute('INSERT INTO egg VALUES (3)');
    expect((await read()).rows).toEqual([{ id: 1 }, { id: 3 }]);
    await optimizer.execute('DELETE FROM egg WHERE id = 3');
  });

  it('may be full of others: the pool takes what is left, and says why it gets nothing', async () => {
    const url = new URL(server.url);
    Object.assign(url, { username: 'app', password: 'app' });
    // 16, of which 3 are the superuser's, 8 those of others, and 2 are left free.
    const others = await Promise.all(Array.from({ length: 8 }, () => connect(url.href)));
    const pool = openPool({
      connectionString: url.href,
      min: 1,
      max: 50,
      growAfterMs: 1,
      serverHeadroom: 2,
      ...PATIENT,
    });
    const work = Array.from({ length: 40 }, () => pool.query('SELECT pg_sleep(0.01)'));
    let largest = 0;
    await until(() => {
      largest = Math.max(largest, pool.statistics().size);
      return pool.statistics().acquired.normal === 40;
    });
    await Promise.all(work);
    expect(largest).toBeLessThanOrEqual(3);
    await pool.close();

    const more = await Promise.all(Array.from({ length: 5 }, () => connect(url.href)));
    const late = openPool({ connectionString: url.href, min: 1, max: 50 });
    await expect(late.acquire({ timeoutMs: 300 })).rejects.toMatchObject({
      code: 'POOL_ACQUIRE_TIMEOUT',
      message: expect.stringMatching(/the pool has 0: .*connection/),
    });
    const patient = late.query('SELECT 1 AS n', [], { timeoutMs: 50_000 });
    await Promise.all([...others, ...more].map((it) => it.end()));
    expect((await patient).rows).toEqual([{ n: 1 }]);
    expect(late.statistics()).toMatchObject({ timeouts: 1, waiting: { normal: 0 } });
  });

  it('is left with a connection that nobody gives back: its taker is named, also behind TypeORM', async () => {
    const pool = openPool({ leakAfterMs: 1, min: 1, max: 2 });
    const source = new DataSource({ type: 'postgres', url: server.url, driver: poolDriver(pool) });
    await source.initialize();
    const runner = source.createQueryRunner();
    async function forgetfulService() {
      await runner.connect();
    }
    await forgetfulService();
    await until(() => warnings.some((it) => it.includes('forgetfulService')));
    expect(pool.statistics().leaks).toBeGreaterThan(0);
    await runner.release();
    await source.destroy();
  });
});
