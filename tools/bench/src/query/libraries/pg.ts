import pg from 'pg';

import { type FileRow, type PoolSubject, READ_ONE, READ_PAGE, type Subject, WRITE } from './contract.ts';
import { PAGE_ROWS, workspaceOf } from '../table.ts';

/** As peregrine has it: the server looks at its clock for each statement. */
const statement_timeout = 30_000;

export function openPg(url: string): Subject {
  const pool = new pg.Pool({ connectionString: url, statement_timeout });
  return {
    readOne: async (id) => (await pool.query<FileRow>(READ_ONE, [id])).rows[0],
    readPage: async (workspaceId) => (await pool.query<FileRow>(READ_PAGE, [workspaceId, PAGE_ROWS])).rows,
    write: (id) => pool.query(WRITE, [id, workspaceOf(id)]),
    close: () => pool.end(),
  };
}

/** First come, first served. */
export function openPgPool(url: string, connections: number): PoolSubject {
  const pool = new pg.Pool({ connectionString: url, max: connections, statement_timeout });
  return {
    run: async (sql) => {
      const startedAt = performance.now();
      const client = await pool.connect();
      const waitedMs = performance.now() - startedAt;
      try {
        await client.query(sql);
      } finally {
        client.release();
      }
      return waitedMs;
    },
    close: () => pool.end(),
  };
}
