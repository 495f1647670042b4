import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type WorkloadStatement } from '../src/advisor/advice.js';
import { advise } from '../src/advisor/advise.js';
import { createQueryOptimizer } from '../src/create-query-optimizer.js';
import { IndexTrials } from '../src/index-builder/index-trial.js';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfTestServer } from './server/server-programs.js';
import { until } from './until.js';

const FILE_BYTES = 17 * 1_048_576 + 512;
/** Some 400 bytes that PostgreSQL does not compress away, for each row. */
const WIDE_KEY = `(${Array.from({ length: 12 }, (_, it) => `md5(id::text || '${it}')`).join(' || ')})`;
const SCHEMA = `
  CREATE TABLE file (id int PRIMARY KEY, owner int NOT NULL, name text NOT NULL);
  INSERT INTO file SELECT i, i % 2000, md5(i::text) FROM generate_series(1, 60000) i;`;
const OF_OWNER: WorkloadStatement = {
  text: 'SELECT name FROM file WHERE owner = 7',
  calls: 1,
  totalMs: 0,
  id: 'of owner',
};
const BY_OWNER = {
  id: 'by-owner',
  table: { schema: 'public', name: 'file' },
  indexName: 'file_owner_idx',
  keys: ['owner'],
};
const UNHURRIED = { timeLimitMs: 600_000, validation: 'sample-clone' } as const;

/** Servers whose state no test may bring the shared one into. */
describe('indexes on a server', () => {
  let programs: string;
  const cleanUps: (() => Promise<unknown>)[] = [];
  const started = async (server: PostgresServer) => {
    cleanUps.push(() => server.remove());
    await server.start();
    const pool = new pg.Pool({ connectionString: server.url, max: 4 });
    pool.on('error', () => undefined);
    cleanUps.push(() => pool.end());
    return { server, pool };
  };

  beforeAll(async () => {
    programs = await programsOfTestServer();
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  it('whose disk is full: no half of an index is left, the reason is in the ledger, and the next one is built', async () => {
    const { pool } = await started(await PostgresServer.create(programs, {}, { fileBytes: FILE_BYTES }));
    await pool.query(`${SCHEMA} ANALYZE`);
    const tooLarge = { ...BY_OWNER, id: 'too-large', indexName: 'file_large_idx', keys: [WIDE_KEY] };
    const entries = await new IndexTrials({ source: pool }).run([
      { plan: tooLarge, statements: [] },
      { plan: BY_OWNER, statements: [OF_OWNER] },
    ]);
    expect(entries).toMatchObject([
      { status: 'failed', decision: expect.stringMatching(/could not extend file .*\(53100\)/) },
      { status: 'kept' },
    ]);
    const { rows } = await pool.query(
      `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'file'::regclass ORDER BY 1`,
    );
    expect(rows).toEqual([{ name: 'file_owner_idx' }, { name: 'file_pkey' }]);
  });

  it('that is a replica: advice is what can be proven there, nothing is built, and the report says why', async () => {
    const primary = await PostgresServer.create(programs, { wal_level: 'replica', max_wal_senders: '4' });
    const standby = await primary.createStandby();
    const { pool: writer } = await started(primary);
    await writer.query(SCHEMA);
    await writer.query('VACUUM ANALYZE file');
    const { server, pool } = await started(standby);
    await until(async () => {
      const { rows } = await pool.query(
        `SELECT reltuples > 0 AS "isThere" FROM pg_class WHERE relname = 'file'`,
      );
      return (rows as { isThere: boolean }[])[0]?.isThere === true;
    });
    const trials = new IndexTrials({ source: pool });
    await expect(trials.run([{ plan: BY_OWNER, statements: [OF_OWNER] }])).rejects.toMatchObject({
      code: 'QUERY_INDEX_LEDGER_UNAVAILABLE',
      failure: 'read-only',
    });
    expect(await trials.ledger()).toEqual([]);
    const advice = await advise([OF_OWNER], { source: pool, ...UNHURRIED });
    expect(advice.recommendations).toEqual([]);
    expect(advice.rejected).toContainEqual(
      expect.objectContaining({ code: 'not-validated', reason: expect.stringContaining('read-only') }),
    );
    const optimizer = await createQueryOptimizer({
      connectionString: server.url,
      pool: { min: 1, max: 3, reserve: 0, acquireTimeoutMs: 30_000 },
      cache: { enabled: false, listen: false },
      slowQueries: { history: { install: true } },
    });
    cleanUps.push(() => optimizer.close());
    await writer.query('CREATE INDEX twice ON file (owner, name); CREATE INDEX once ON file (owner)');
    await until(async () => (await optimizer.analyseIndexes()).findings.length > 0);
    expect(optimizer.report().indexes?.findings).toContainEqual(
      expect.objectContaining({ kind: 'overlapping', index: 'once', coveredBy: 'twice' }),
    );
    await optimizer.slowQueries.refresh();
    expect(optimizer.slowQueries.report().degraded).toContainEqual({
      part: 'history',
      reason: expect.stringContaining('(25006)'),
    });
  });
});
