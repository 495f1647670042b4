import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { createMigratedDatabase, type TestDatabase } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { analyse, loadAnalyser } from '@peregrine/query-optimizer';
import { type DataSource } from 'typeorm';
import { CACHED_TABLES, contentQueryPolicy } from '../src/index.js';

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  await loadAnalyser();
  database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
  dataSource = await createDataSource({ url: database.url }).initialize();
}, 60_000);
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

describe('the policy for cached statements', () => {
  it('is for tables that all tell their changes', async () => {
    const told = await dataSource.query<{ name: string }[]>(
      `SELECT c.relname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgname = 'peregrine_table_changed' ORDER BY 1`,
    );
    expect(told.map((it) => it.name)).toEqual(CACHED_TABLES.toSorted());
  });

  it.each([
    'SELECT f.path FROM files f WHERE f.workspace_id = $1 ORDER BY f.path LIMIT 21',
    'SELECT FROM workspaces w WHERE w.id = $1 AND EXISTS (SELECT FROM api_key_workspaces WHERE workspace_id = w.id)',
    `SELECT f.path FROM file_documents d JOIN files f ON f.id = d.file_id
      WHERE d.search @@ websearch_to_tsquery('english', $1)`,
  ])('takes %s', (sql) => {
    expect(contentQueryPolicy(analyse(sql))).toEqual({});
  });

  it.each([
    'SELECT 1',
    'SELECT * FROM api_keys WHERE key_hash = $1',
    'SELECT r.driver FROM files f JOIN file_storages s ON s.file_id = f.id JOIN storage_resources r ON r.id = s.storage_resource_id',
    'SELECT * FROM other.files',
    `SELECT ts_headline('english', d.body, websearch_to_tsquery('english', $1)) FROM file_documents d`,
    'UPDATE files SET name = $1',
    'WITH gone AS (DELETE FROM files RETURNING id) SELECT id FROM gone',
    'BEGIN',
  ])('leaves %s alone, or the optimizer does', (sql) => {
    const statement = analyse(sql);
    expect(contentQueryPolicy(statement) === undefined || statement.writes.length > 0).toBe(true);
  });
});
