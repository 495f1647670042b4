import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';
import { PriorityPool } from '../src/pool/priority-pool.js';
import { withQueryPriority } from '../src/pool/query-priority.js';
import { poolDriver } from '../src/typeorm/index.js';
import { TestDatabase } from './test-database.js';

interface Falcon {
  id: number;
  name: string;
}

const falcons = new EntitySchema<Falcon>({
  name: 'falcon',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
});

describe('TypeORM on the pool', () => {
  let database: TestDatabase;
  let pool: PriorityPool;
  let source: DataSource;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run('CREATE TABLE falcon (id int PRIMARY KEY, name text NOT NULL)');
    pool = new PriorityPool({
      connectionString: database.url,
      min: 1,
      max: 3,
      reserve: 1,
      acquireTimeoutMs: 30_000,
    });
    const driver = poolDriver(pool);
    source = new DataSource({ type: 'postgres', url: database.url, entities: [falcons], driver });
    await source.initialize();
  });
  afterAll(async () => {
    await source.destroy();
    await pool.close();
    await database.drop();
  });

  it('runs repositories, query builders, transactions and raw SQL over it', async () => {
    const repository = source.getRepository(falcons);
    await repository.save([
      { id: 1, name: 'peregrine' },
      { id: 2, name: 'merlin' },
    ]);
    await source
      .transaction(async (manager) => {
        await manager.update(falcons, { id: 2 }, { name: 'hobby' });
        await expect(manager.query('SELECT nonsense')).rejects.toThrow('nonsense');
      })
      .catch(() => undefined);
    expect(await source.query('SELECT count(*)::int AS n FROM falcon')).toEqual([{ n: 2 }]);
    expect(await repository.findOneBy({ id: 2 })).toEqual({ id: 2, name: 'merlin' });
    expect(await repository.createQueryBuilder('f').where('f.id = :id', { id: 1 }).getOne()).toEqual({
      id: 1,
      name: 'peregrine',
    });
    const { acquired, inUse, size } = pool.statistics();
    expect(acquired.normal).toBeGreaterThan(4);
    expect(inUse).toBe(0);
    expect(
      await database.run(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'peregrine'",
      ),
    ).toEqual([{ n: size }]);
  });

  it('asks with the priority of the caller', async () => {
    const before = pool.statistics().acquired.high;
    await withQueryPriority('high', () => source.getRepository(falcons).find());
    expect(pool.statistics().acquired.high).toBe(before + 1);
  });

  it('passes the refusal of the pool on', async () => {
    const held = await Promise.all([pool.acquire(), pool.acquire()]);
    const abort = pool.acquire({ timeoutMs: 1 });
    await expect(abort).rejects.toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    for (const it of held) it.release();
  });

  it('survives connections that the server ends', async () => {
    const runner = source.createQueryRunner();
    const [{ pid }] = (await runner.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
    await database.administer('SELECT pg_terminate_backend($1)', [pid]);
    await expect(runner.query('SELECT 1')).rejects.toThrow();
    await runner.release();
    expect(await source.query('SELECT 1 AS n')).toEqual([{ n: 1 }]);
    expect(pool.statistics().inUse).toBe(0);
  });

  it('is still there when the data source is gone', async () => {
    const other = new DataSource({ type: 'postgres', url: database.url, driver: poolDriver(pool) });
    await other.initialize();
    await other.destroy();
    expect((await pool.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  });
});
