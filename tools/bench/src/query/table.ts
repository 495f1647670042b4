import { queryPostgres } from '../harness/postgres-server.ts';

export const FILES = 10_000;
export const WORKSPACES = 100;

/** A page of a workspace. */
export const PAGE_ROWS = 20;

export const workspaceOf = (id: number): number => id % WORKSPACES;

/** Files from 1 on, in workspaces. */
export async function createTable(url: string): Promise<void> {
  await queryPostgres(
    url,
    `CREATE TABLE file (id int PRIMARY KEY, workspace_id int NOT NULL, name text NOT NULL, size_bytes int NOT NULL,
       version int NOT NULL);
     INSERT INTO file SELECT n, n % ${WORKSPACES}, 'file ' || n, 1000 * n, 0 FROM generate_series(1, ${FILES}) n;
     CREATE INDEX ON file (workspace_id, id);
     CREATE EXTENSION pg_stat_statements`,
  );
  await queryPostgres(url, 'VACUUM ANALYZE file');
}
