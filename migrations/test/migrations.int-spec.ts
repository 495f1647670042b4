import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDataSource, revertMigration, runMigrations } from '@peregrine/database';
import { createTestDatabase, type TestDatabase } from '@peregrine/database/testing';
import { readdir } from 'node:fs/promises';
import { type DataSource } from 'typeorm';
import { migrations } from '../src/index.js';

const NAMES = migrations.map((it) => it.name);

/** Everything that a migration of ours can make, as text. */
const SCHEMA = {
  // A column that went and came back leaves a gap in PostgreSQL's own numbers.
  columns: `SELECT table_name, column_name,
                   row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position)::int AS place, data_type, datetime_precision, column_default,
                   is_nullable, collation_name, generation_expression
              FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3`,
  constraints: `SELECT conrelid::regclass::text AS table, conname, pg_get_constraintdef(oid) AS definition
                  FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`,
  indexes: `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`,
  storage: `SELECT attrelid::regclass::text AS table, attname, attstorage::text FROM pg_attribute
             WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
               AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum`,
  others: `SELECT relkind::text, relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i', 't') ORDER BY 1, 2`,
  triggers: `SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`,
};

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase(process.env['DATABASE_URL']);
  dataSource = await createDataSource({ url: database.url, migrations }).initialize();
});

afterEach(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

async function schema(): Promise<Record<string, unknown[]>> {
  const parts = Object.entries(SCHEMA).map(
    async ([name, sql]) => [name, await dataSource.query<unknown[]>(sql)] as const,
  );
  return Object.fromEntries(await Promise.all(parts));
}

async function revertAll(): Promise<string[]> {
  const reverted: string[] = [];
  for (let name = await revertMigration(dataSource); name; name = await revertMigration(dataSource)) {
    reverted.push(name);
  }
  return reverted;
}

describe('the migrations', () => {
  it('go up, down and up again, to the same schema', async () => {
    expect(await runMigrations(dataSource)).toEqual(NAMES);
    const first = await schema();
    expect(first['indexes']).toContainEqual(
      expect.objectContaining({ indexname: 'file_documents_workspace_id_search_idx' }),
    );

    expect(await revertAll()).toEqual(NAMES.toReversed());
    const tables = await dataSource.query<{ table_name: string }[]>(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    // TypeORM's own list of what was run.
    expect(tables.map((it) => it.table_name)).toEqual(['migrations']);

    expect(await runMigrations(dataSource)).toEqual(NAMES);
    expect(await schema()).toEqual(first);
    expect(await runMigrations(dataSource)).toEqual([]);
  }, 60_000);

  it('can each be reverted and run again by itself', async () => {
    await runMigrations(dataSource);
    const whole = await schema();
    for (let count = 1; count <= NAMES.length; count++) {
      for (let step = 0; step < count; step++) await revertMigration(dataSource);
      expect(await runMigrations(dataSource)).toEqual(NAMES.slice(-count));
      expect(await schema()).toEqual(whole);
    }
  }, 60_000);

  it('are all listed, oldest first, under the name of their file', async () => {
    const folder = await readdir(new URL('../src', import.meta.url));
    const files = folder.filter((it) => /^\d+-.*\.ts$/.test(it)).sort();
    const expected = files.map((file) => {
      const [, at, words] = /^(\d{13})-([a-z0-9-]+)\.ts$/.exec(file) ?? [];
      return `${words?.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}${at}`;
    });
    expect(NAMES).toEqual(expected);
  });

  it('leave no table without a primary key, and no foreign key without an index that leads with it', async () => {
    await runMigrations(dataSource);
    const keyless = await dataSource.query<unknown[]>(
      `SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')`,
    );
    expect(keyless).toEqual([]);
    const unindexed = await dataSource.query<unknown[]>(
      `SELECT conname FROM pg_constraint f
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indkey[0] = f.conkey[1])`,
    );
    expect(unindexed).toEqual([]);
  });
});
