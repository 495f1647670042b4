import { createQueryOptimizer, PriorityPool } from '@peregrine/query-optimizer';

import { type FileRow, type PoolSubject, READ_ONE, READ_PAGE, type Subject, WRITE } from './contract.ts';
import { PAGE_ROWS, workspaceOf } from '../table.ts';

/** With its defaults: observed by everything, listening to others, looking for changes of the schema. */
export async function openPeregrine(url: string, isCached: boolean): Promise<Subject> {
  const optimizer = await createQueryOptimizer({ connectionString: url });
  const options = isCached ? { cache: true } : {};
  return {
    readOne: async (id) => (await optimizer.execute<FileRow>(READ_ONE, [id], options)).rows[0],
    readPage: async (workspaceId) =>
      (await optimizer.execute<FileRow>(READ_PAGE, [workspaceId, PAGE_ROWS], options)).rows,
    write: (id) => optimizer.execute(WRITE, [id, workspaceOf(id)]),
    hits: () => optimizer.report().cache.hits,
    close: () => optimizer.close(),
  };
}

/** @param reserve connections for high priority alone */
export function openPriorityPool(url: string, connections: number, reserve: number): PoolSubject {
  const pool = new PriorityPool({
    connectionString: url,
    min: connections,
    max: connections,
    reserve,
    acquireTimeoutMs: 60_000,
    maxWaiting: 10_000,
  });
  return {
    run: async (sql, priority) => {
      const startedAt = performance.now();
      using lease = await pool.acquire({ priority });
      const waitedMs = performance.now() - startedAt;
      await lease.client.query(sql);
      return waitedMs;
    },
    close: () => pool.close(),
  };
}
