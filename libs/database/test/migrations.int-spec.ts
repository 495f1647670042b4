import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';

import {
  connectDataSource,
  createDataSource,
  MigrationLockError,
  revertMigration,
  runMigrations,
} from '../src/index.js';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js';

jest.setTimeout(30_000);

class CreateThing1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE thing (id int PRIMARY KEY, name text NOT NULL)');
    await runner.query(`INSERT INTO thing SELECT n, 'n' || n FROM generate_series(1, 20000) n`);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE thing');
  }
}

class IndexThing1700000000002 implements MigrationInterface {
  readonly transaction = false;
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX CONCURRENTLY thing_name ON thing (name)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX CONCURRENTLY thing_name');
  }
}

class Fail1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half (id int)');
    await runner.query('SELECT * FROM nowhere');
  }
  async down(): Promise<void> {
    /* Never ran. */
  }
}

const NAMES = ['CreateThing1700000000001', 'IndexThing1700000000002'];

describe('migrations', () => {
  let database: TestDatabase;
  const open: DataSource[] = [];

  const connect = async (
    migrations = [CreateThing1700000000001, IndexThing1700000000002] as (new () => MigrationInterface)[],
  ) => {
    const dataSource = createDataSource({
      url: database.url,
      migrations,
      poolMax: 2,
      statementTimeoutMs: 5_000,
    });
    open.push(dataSource);
    return connectDataSource(dataSource, { startTimeoutMs: 10_000 });
  };
  const exists = async (dataSource: DataSource, name: string) => {
    const [row]: { found: boolean }[] = await dataSource.query(
      'SELECT to_regclass($1) IS NOT NULL AS found',
      [name],
    );
    return row?.found;
  };

  beforeEach(async () => {
    database = await createTestDatabase(process.env['DATABASE_URL']);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((it) => it.destroy()));
    await database.drop();
  });

  it('run once, with an index built concurrently, are reverted one by one and run again', async () => {
    const dataSource = await connect();
    const progress: string[] = [];
    const onProgress = (message: string) => progress.push(message);
    expect(await runMigrations(dataSource, { onProgress })).toEqual(NAMES);
    expect(await runMigrations(dataSource, { onProgress })).toEqual([]);
    expect(await exists(dataSource, 'thing_name')).toBe(true);
    expect(await revertMigration(dataSource, { onProgress })).toBe(NAMES[1]);
    expect(await exists(dataSource, 'thing_name')).toBe(false);
    expect(await revertMigration(dataSource)).toBe(NAMES[0]);
    expect(await revertMigration(dataSource)).toBeNull();
    expect(await exists(dataSource, 'thing')).toBe(false);
    expect(await runMigrations(dataSource)).toEqual(NAMES);
    expect(progress).toEqual([`ran ${NAMES[0]}`, `ran ${NAMES[1]}`, `reverted ${NAMES[1]}`]);
  });

  it('run in one of several processes that start at once; the others wait and find nothing to do', async () => {
    const sources = await Promise.all([connect(), connect(), connect()]);
    const results = await Promise.all(sources.map((it) => runMigrations(it)));
    expect(results.toSorted((a, b) => b.length - a.length)).toEqual([NAMES, [], []]);
  });

  it('leave nothing of the one that failed, keep those before it, and free the lock', async () => {
    const dataSource = await connect([CreateThing1700000000001, Fail1700000000003]);
    await expect(runMigrations(dataSource)).rejects.toThrow('nowhere');
    expect(await exists(dataSource, 'thing')).toBe(true);
    expect(await exists(dataSource, 'half')).toBe(false);
    expect(await runMigrations(await connect([CreateThing1700000000001]))).toEqual([]);
  });

  it('give up when another process holds the lock too long, and say that they wait', async () => {
    const [first, second] = [await connect(), await connect()];
    const progress: string[] = [];
    let failure: unknown;
    class Meanwhile1700000000004 implements MigrationInterface {
      async up(): Promise<void> {
        failure = await runMigrations(second, {
          lockTimeoutMs: 1,
          onProgress: (it) => progress.push(it),
        }).catch((error: unknown) => error);
      }
      async down(): Promise<void> {
        /* Nothing to undo. */
      }
    }
    await runMigrations(await connect([Meanwhile1700000000004]));
    expect(failure).toBeInstanceOf(MigrationLockError);
    expect(progress).toEqual([expect.stringContaining('waiting')]);
    expect(first.isInitialized).toBe(true);
  });
});
