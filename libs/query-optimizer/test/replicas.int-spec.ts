import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { createQueryOptimizer, type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { type ReplicaReport } from '../src/replicas/replica.js';
import { poolDriver, queryResultCache } from '../src/typeorm/index.js';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfTestServer } from './server/server-programs.js';
import { SilentProxy } from './silent-proxy.js';
import { until } from './until.js';

jest.setTimeout(60_000);

interface Nest {
  id: number;
  eggs: number;
}

const nestSchema = new EntitySchema<Nest>({
  name: 'nest',
  columns: { id: { type: 'int', primary: true }, eggs: { type: 'int' } },
});

/** Patient: a busy machine is no reason to distrust. */
const PATIENT = { maxLagMs: 60_000, checkEveryMs: 20 };
const COUNT = 'SELECT count(*)::int AS n FROM nest';

describe('Replicas', () => {
  let primary: PostgresServer;
  let replicas: [PostgresServer, PostgresServer];
  const optimizers: QueryOptimizer[] = [];
  const warnings: string[] = [];

  const open = async (options: Partial<CreateQueryOptimizerOptions> = {}) => {
    const optimizer = await createQueryOptimizer({
      connectionString: primary.url,
      pool: { min: 1, max: 4, reserve: 1, acquireTimeoutMs: 30_000 },
      replicas: replicas.map((it) => it.url),
      replication: PATIENT,
      ...options,
      cache: { maxStalenessMs: 60_000, ...options.cache },
    });
    optimizers.push(optimizer);
    return optimizer;
  };
  const reportOf = (optimizer: QueryOptimizer, of = replicas[0]) =>
    optimizer.report().replicas?.replicas.find((it) => it.name.endsWith(`:${of.port}`)) as ReplicaReport;
  const readsOf = (optimizer: QueryOptimizer) =>
    optimizer.report().replicas?.replicas.reduce((sum, it) => sum + it.reads, 0) ?? 0;
  const areUp = (optimizer: QueryOptimizer) =>
    until(() => optimizer.report().replicas?.replicas.every((it) => it.state === 'up') ?? false);
  /** Whether a replica is asked for the statement. */
  const goesToReplica = async (optimizer: QueryOptimizer, ask: () => Promise<unknown>) => {
    const before = readsOf(optimizer);
    await ask();
    return readsOf(optimizer) > before;
  };
  const run = async <R extends pg.QueryResultRow>(on: PostgresServer, sql: string) => {
    const client = new pg.Client({ connectionString: on.url });
    await client.connect();
    try {
      return (await client.query<R>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const pause = async (...standbys: PostgresServer[]) => {
    for (const it of standbys) {
      await run(it, 'SELECT pg_wal_replay_pause()');
      await until(async () => {
        const [row] = await run<{ state: string }>(it, 'SELECT pg_get_wal_replay_pause_state() AS state');
        return row?.state === 'paused';
      });
    }
  };
  const resume = async (...standbys: PostgresServer[]) => {
    for (const it of standbys) await run(it, 'SELECT pg_wal_replay_resume()');
  };

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((it: unknown) => void warnings.push(String(it)));
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    primary = await PostgresServer.create(await programsOfTestServer());
    replicas = [await primary.createStandby(), await primary.createStandby()];
    await primary.start();
    await run(primary, 'CREATE TABLE nest (id int PRIMARY KEY, eggs int NOT NULL)');
    await run(primary, 'CREATE TABLE tree (id int PRIMARY KEY)');
    await run(primary, 'INSERT INTO nest VALUES (1, 0), (2, 0)');
    await Promise.all(replicas.map((it) => it.start()));
  });
  afterEach(async () => {
    await Promise.all(optimizers.splice(0).map((it) => it.close()));
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await Promise.all([primary, ...replicas].map((it) => it.remove()));
  });

  it('answer what only reads, each in its turn', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    await until(() => goesToReplica(optimizer, () => optimizer.execute(COUNT)));
    const ports = new Set<unknown>();
    for (let i = 0; i < 4; i++) {
      const { rows } = await optimizer.execute('SELECT inet_server_port() AS port FROM nest');
      ports.add(rows[0]?.['port']);
    }
    expect([...ports].toSorted()).toEqual(replicas.map((it) => it.port).toSorted());
    const { rows, source } = await optimizer.execute(
      `SELECT eggs, current_setting('app.tree') AS tree FROM nest WHERE id = $1`,
      [1],
      { variables: { 'app.tree': 'oak' }, timeoutMs: 60_000 },
    );
    expect({ rows, source }).toEqual({ rows: [{ eggs: 0, tree: 'oak' }], source: 'database' });
    expect(reportOf(optimizer)).toMatchObject({ state: 'up', failures: 0 });
    expect(optimizer.collect().find((it) => it.name === 'db_replica_up')?.samples).toEqual(
      replicas.map((it) => ({ labels: { replica: `127.0.0.1:${it.port}` }, value: 1 })),
    );
  });

  it.each([
    ['locks rows', 'SELECT * FROM nest FOR UPDATE'],
    ['calls a function that may do anything', 'SELECT random() FROM nest'],
    ['asks about the server', 'SELECT count(*) FROM pg_stat_activity'],
    ['reads no table', 'SELECT 1'],
    ['writes', 'UPDATE nest SET eggs = eggs'],
    ['writes in a CTE', 'WITH x AS (UPDATE nest SET eggs = eggs RETURNING 1) SELECT * FROM x'],
  ])('are not asked for what %s', async (_what, sql) => {
    const optimizer = await open();
    await areUp(optimizer);
    expect(await goesToReplica(optimizer, () => optimizer.execute(sql))).toBe(false);
  });

  it('are not asked inside a transaction, on a session with other settings, or when the caller says so', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    await until(() => goesToReplica(optimizer, () => optimizer.execute(COUNT)));
    const inside = async (...before: string[]) =>
      optimizer.pool.use(async (client) => {
        for (const it of before) await client.query(it);
        return goesToReplica(optimizer, () => client.query(COUNT));
      });
    expect(await inside()).toBe(true);
    expect(await inside('BEGIN')).toBe(false);
    expect(await inside('SET enable_seqscan = off')).toBe(false);
    expect(await goesToReplica(optimizer, () => optimizer.execute(COUNT, [], { primary: true }))).toBe(false);
    await optimizer.ready();
  });

  it('are asked again for a table when they have what was written to it, and for others all the time', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    const eggs = (id = 1) => optimizer.execute('SELECT eggs FROM nest WHERE id = $1', [id]);
    await until(() => goesToReplica(optimizer, eggs));
    await pause(...replicas);
    await optimizer.execute('UPDATE nest SET eggs = 1 WHERE id = 1');
    expect((await eggs()).rows).toEqual([{ eggs: 1 }]);
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('UPDATE nest SET eggs = 2 WHERE id = 1');
      await client.query('COMMIT');
    });
    expect((await eggs()).rows).toEqual([{ eggs: 2 }]);
    expect(await goesToReplica(optimizer, eggs)).toBe(false);
    expect(await goesToReplica(optimizer, () => eggs(2))).toBe(true);
    expect(await goesToReplica(optimizer, () => optimizer.execute('SELECT * FROM tree'))).toBe(true);
    expect(optimizer.report().replicas?.bypassed.WRITTEN).toBeGreaterThan(2);
    await resume(...replicas);
    await until(() => goesToReplica(optimizer, eggs));
    expect((await eggs()).rows).toEqual([{ eggs: 2 }]);
  });

  it('leave nothing old in the cache, whoever wrote', async () => {
    for (const it of installChangeTriggers([{ schema: null, name: 'nest' }])) await run(primary, it);
    const optimizer = await open();
    await areUp(optimizer);
    const read = () => optimizer.execute('SELECT eggs FROM nest WHERE id = 2', [], { cache: true });
    await until(() => goesToReplica(optimizer, () => optimizer.execute(COUNT)));
    await pause(...replicas);
    await optimizer.execute('UPDATE nest SET eggs = 3 WHERE id = 2');
    expect((await read()).rows).toEqual([{ eggs: 3 }]);
    expect(await read()).toMatchObject({ rows: [{ eggs: 3 }], source: 'cache' });
    await run(primary, 'UPDATE nest SET eggs = 4 WHERE id = 2');
    await optimizer.catchUp();
    expect(await read()).toMatchObject({ rows: [{ eggs: 4 }], source: 'database' });
    await resume(...replicas);
    const all = (cache: boolean) => optimizer.execute('SELECT sum(eggs)::int AS n FROM nest', [], { cache });
    await until(() => goesToReplica(optimizer, () => all(false)));
    expect(await goesToReplica(optimizer, () => all(true))).toBe(true);
    expect((await all(true)).source).toBe('cache');
    expect(await read()).toMatchObject({ rows: [{ eggs: 4 }], source: 'cache' });
  });

  it('never answer with less than the process has written, however they lag', async () => {
    const optimizer = await open({ cache: { ttlMs: 60_000 } });
    await areUp(optimizer);
    await run(primary, 'UPDATE nest SET eggs = 0');
    let written = 0;
    let isWriting = true;
    const older: unknown[] = [];
    const reader = async (cache: boolean) => {
      while (isWriting) {
        const least = written;
        const { rows } = await optimizer.execute('SELECT eggs FROM nest WHERE id = 1', [], { cache });
        if (Number(rows[0]?.['eggs']) < least) older.push({ cache, least, rows });
        await optimizer.execute('SELECT * FROM tree');
      }
    };
    const readers = [reader(true), reader(false), reader(true)];
    for (let n = 1; n <= 150; n++) {
      if (n % 50 === 10) await pause(replicas[1]);
      if (n % 50 === 40) await resume(replicas[1]);
      await optimizer.execute('UPDATE nest SET eggs = $1 WHERE id = 1', [n]);
      written = n;
    }
    isWriting = false;
    await Promise.all(readers);
    expect(older).toEqual([]);
    await until(() => goesToReplica(optimizer, () => optimizer.execute(COUNT)));
  });

  it('are not asked when they are further behind than the bound', async () => {
    const optimizer = await open({ replication: { maxLagMs: 400, checkEveryMs: 100 } });
    await until(() => reportOf(optimizer).state === 'up');
    await pause(replicas[0]);
    await run(primary, 'INSERT INTO tree VALUES (1)');
    await until(() => Number(reportOf(optimizer).lagMs) > 400);
    expect(reportOf(optimizer).state).toBe('behind');
    const before = reportOf(optimizer).reads;
    for (let i = 0; i < 5; i++)
      expect((await optimizer.execute('SELECT id FROM tree')).rows).toEqual([{ id: 1 }]);
    expect(reportOf(optimizer).reads).toBe(before);
    await resume(replicas[0]);
    await until(() => reportOf(optimizer).state === 'up');
  });

  it('are done without when they are killed, and used when they are back', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    const read = () => optimizer.execute(COUNT);
    await until(() => goesToReplica(optimizer, read));
    const slow = optimizer.execute('SELECT max(id) AS n FROM nest, generate_series(1, 3000000)');
    await replicas[0].kill();
    await replicas[1].kill();
    expect((await slow).rows).toEqual([{ n: 2 }]);
    for (let i = 0; i < 3; i++) expect((await read()).rows).toEqual([{ n: 2 }]);
    await until(() => optimizer.report().replicas?.replicas.every((it) => it.state === 'down') ?? false);
    expect(await goesToReplica(optimizer, read)).toBe(false);
    expect(optimizer.report().replicas?.bypassed.NO_REPLICA).toBeGreaterThan(0);
    await replicas[1].start();
    await until(() => goesToReplica(optimizer, read));
    expect(reportOf(optimizer).state).toBe('down');
    await replicas[0].start();
    await areUp(optimizer);
  });

  it('send those who wait elsewhere when they fall silent', async () => {
    const proxy = await SilentProxy.start(replicas[0].url);
    const optimizer = await open({
      replicas: [{ connectionString: proxy.url, max: 2 }],
      replication: { maxLagMs: 1_000, checkEveryMs: 100 },
    });
    await areUp(optimizer);
    await until(() => goesToReplica(optimizer, () => optimizer.execute(COUNT)));
    proxy.silence();
    expect((await optimizer.execute(COUNT)).rows).toEqual([{ n: 2 }]);
    await until(() => optimizer.report().replicas?.replicas[0]?.state === 'down');
    proxy.speak();
    await areUp(optimizer);
    await optimizer.close();
    await proxy.stop();
  });

  it('answer with what they know while the primary is away, as long as it is within the bound', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    const read = () => optimizer.execute(COUNT);
    await until(() => goesToReplica(optimizer, read));
    await primary.kill();
    expect((await read()).rows).toEqual([{ n: 2 }]);
    await primary.start();
    await until(() =>
      optimizer.execute('UPDATE nest SET eggs = eggs').then(
        () => true,
        () => false,
      ),
    );
    await until(() => goesToReplica(optimizer, read));
  });

  it('are copies of the primary, or not used', async () => {
    const url = new URL(replicas[0].url);
    url.pathname = '/template1';
    for (const it of [primary.url, url.href]) {
      const optimizer = await open({ replicas: [it] });
      const before = warnings.length;
      await until(() => warnings.length > before);
      expect(optimizer.report().replicas?.replicas).toMatchObject([{ state: 'down', reads: 0 }]);
      expect(await goesToReplica(optimizer, () => optimizer.execute(COUNT))).toBe(false);
    }
    expect(warnings.slice(-2)).toEqual([
      expect.stringContaining('it is no standby any more'),
      expect.stringContaining('it is no copy of the primary'),
    ]);
  });

  it('answer TypeORM too, cached or not', async () => {
    const optimizer = await open();
    const source = new DataSource({
      type: 'postgres',
      url: primary.url,
      entities: [nestSchema],
      driver: poolDriver(optimizer.pool),
      cache: { provider: () => queryResultCache(optimizer) },
    });
    await source.initialize();
    await areUp(optimizer);
    const nests = source.getRepository(nestSchema);
    const find = (cache = false) => nests.findOneByOrFail({ id: 1 }).then((it) => (cache ? it : it.eggs));
    await until(() => goesToReplica(optimizer, find));
    await pause(...replicas);
    await nests.update(1, { eggs: 77 });
    expect(await find()).toBe(77);
    const cached = () => nests.findOne({ where: { id: 1 }, cache: true });
    expect(await cached()).toEqual({ id: 1, eggs: 77 });
    expect(await cached()).toEqual({ id: 1, eggs: 77 });
    await resume(...replicas);
    await source.transaction(async (manager) => {
      expect(await goesToReplica(optimizer, () => manager.find(nestSchema))).toBe(false);
    });
    await source.destroy();
  });

  it('hand what they cannot answer to the primary: here a column that is not there yet', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    await until(() => goesToReplica(optimizer, () => optimizer.execute('SELECT id FROM tree')));
    await pause(...replicas);
    await run(primary, 'ALTER TABLE tree ADD COLUMN height int DEFAULT 9');
    expect((await optimizer.execute('SELECT height FROM tree')).rows).toEqual([{ height: 9 }]);
    expect(optimizer.report().replicas).toMatchObject({ bypassed: { FAILED: 1 } });
    await expect(optimizer.execute('SELECT 1 / (id - id) FROM tree')).rejects.toThrow('division by zero');
    const slow = 'SELECT count(*) FROM nest, generate_series(1, 1000000000)';
    await expect(optimizer.execute(slow, [], { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
    });
    expect(optimizer.report().replicas).toMatchObject({ bypassed: { FAILED: 2 } });
    expect(optimizer.report().replicas?.replicas.map((it) => it.state)).toEqual(['up', 'up']);
    await resume(...replicas);
  });

  it.each([
    [{ replicas: [{ max: 3 }] }, 'QUERY_INVALID_OPTIONS'],
    [{ replicas: ['mysql://x'] }, 'POOL_INVALID_OPTIONS'],
    [{ replication: { maxLagMs: 100, checkEveryMs: 100 } }, 'QUERY_INVALID_OPTIONS'],
  ])('refuse the options %j', async (options, code) => {
    await expect(open(options as Partial<CreateQueryOptimizerOptions>)).rejects.toMatchObject({ code });
  });

  it('are not asked any more when they have become a primary', async () => {
    const optimizer = await open();
    await areUp(optimizer);
    await run(replicas[0], 'SELECT pg_promote()');
    await until(() => reportOf(optimizer).state === 'down');
    expect(reportOf(optimizer, replicas[1]).state).toBe('up');
    const before = reportOf(optimizer).reads;
    for (let i = 0; i < 4; i++) await optimizer.execute(COUNT);
    expect(reportOf(optimizer).reads).toBe(before);
  });
});
