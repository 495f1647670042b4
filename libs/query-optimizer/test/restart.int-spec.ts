import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { createQueryOptimizer } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfTestServer } from './server/server-programs.js';
import { until } from './until.js';

jest.setTimeout(60_000);

const NEVER = 1_000_000;

describe('a cached result', () => {
  let server: PostgresServer;
  let optimizer: QueryOptimizer;

  /** Of another program. */
  const run = async (...texts: string[]) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    for (const it of texts) await client.query(it);
    await client.end();
  };
  /** Where nobody answers, no rows from nowhere. */
  const read = async () => {
    const sql = 'SELECT n FROM item WHERE id = $1';
    const { rows, source } = await optimizer
      .execute<{ n: number }>(sql, [1], { cache: true })
      .catch(() => ({ rows: [], source: 'nowhere' }));
    return { n: rows[0]?.n, source };
  };

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    server = await PostgresServer.create(await programsOfTestServer());
    await server.start();
    const triggers = installChangeTriggers([{ schema: null, name: 'item' }]);
    await run('CREATE TABLE item (id int PRIMARY KEY, n int); INSERT INTO item VALUES (1, 0)', ...triggers);
    optimizer = await createQueryOptimizer({
      connectionString: server.url,
      pool: { min: 2, max: 4, reserve: 1, acquireTimeoutMs: 300 },
      cache: { maxStalenessMs: 60_000 },
    });
  });
  afterAll(async () => {
    await optimizer.close();
    await server.remove();
    jest.restoreAllMocks();
  });

  it.each([
    ['is shut down', 'stop', 1],
    ['crashes', 'kill', 2],
  ] as const)(
    'is not trusted when PostgreSQL %s, and is what is there when it is back',
    async (_what, end, n) => {
      await until(async () => (await read()).source === 'cache');
      const lease = await optimizer.pool.acquire({ timeoutMs: 30_000 });
      await lease.client.query('BEGIN');
      await lease.client.query('UPDATE item SET n = $1', [NEVER]);
      expect(await read()).toEqual({ n: n - 1, source: 'cache' });
      await server[end]();
      lease.release();
      await until(async () => (await read()).source === 'nowhere');
      expect(await read()).toEqual({ n: undefined, source: 'nowhere' });
      await server.start();
      // Before anybody hears of it.
      await run(`UPDATE item SET n = ${n}`);
      await until(async () => {
        const now = await read();
        if (now.source !== 'nowhere') expect(now.n).toBe(n);
        return now.source === 'cache';
      });
      // And they hear again.
      await run('UPDATE item SET n = n + 10');
      await until(() =>
        optimizer.catchUp().then(
          () => true,
          () => false,
        ),
      );
      expect((await read()).n).toBe(n + 10);
      await run(`UPDATE item SET n = ${n}`);
      await optimizer.catchUp();
    },
  );
});
