import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDataSource, createDataSource, Transactions } from '@peregrine/database';
import { createMigratedDatabase } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { createQueryOptimizer, type QueryOptimizer } from '@peregrine/query-optimizer';
import { PermanentTaskError, retryAfter, type TaskContext } from '@peregrine/task-queue';
import { randomUUID } from 'node:crypto';
import { type DataSource } from 'typeorm';
import { AuditTrail } from '../src/audit/audit-trail.js';
import { IndexChangeRunner } from '../src/index-changes/index-change.handlers.js';

const ACTOR = { id: randomUUID(), name: 'ann' };
const SCHEMA = [
  'CREATE TABLE parcel (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL)',
  `INSERT INTO parcel SELECT i, i % 5000, 'note ' || i FROM generate_series(1, 50000) i`,
  'ANALYZE parcel',
];
/** Of the round, and of every change. */
const ROUND_LOCK = [0x70657265, 0x69647801];

describe('changes of indexes as tasks', () => {
  let drop: () => Promise<void>;
  let dataSource: DataSource;
  let optimizer: QueryOptimizer;
  let audit: AuditTrail;
  let runner: IndexChangeRunner;
  let recommendation: string;
  const told: unknown[] = [];

  /** An attempt, as the queue has it. */
  const attempt = (number = 1): TaskContext => ({
    id: 'a-task',
    attempt: number,
    fence: number,
    signal: new AbortController().signal,
    progress: (value) => Promise.resolve(void told.push(value)),
    log: () => Promise.resolve(),
    completeInTransaction: () => Promise.resolve(),
  });
  const events = async () =>
    dataSource.query<{ action: string; event: string; detail: string | null }[]>(
      'SELECT action, event, detail FROM audit_events ORDER BY id DESC',
    );

  beforeAll(async () => {
    const database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
    drop = () => database.drop();
    dataSource = createDataSource({ url: database.url });
    await connectDataSource(dataSource, { startTimeoutMs: 30_000 });
    for (const statement of SCHEMA) await dataSource.query(statement);
    optimizer = await createQueryOptimizer({
      connectionString: database.url,
      pool: { min: 1, max: 4, reserve: 0 },
      cache: { enabled: false, listen: false },
      slowQueries: { thresholdMs: 0 },
      adaptiveIndexing: { mode: 'recommend', evidence: { minCalls: 1, minTotalMs: 0 } },
    });
    await optimizer.execute('SELECT id FROM parcel WHERE customer = $1', [7]);
    await optimizer.adaptiveIndexing.runRound();
    const [found] = await optimizer.adaptiveIndexing.recommendations({ state: 'open' });
    recommendation = found?.id ?? '';
    audit = new AuditTrail(new Transactions(dataSource));
    runner = new IndexChangeRunner(optimizer, audit);
  });
  afterAll(async () => {
    await optimizer?.close();
    await dataSource?.destroy();
    await drop?.();
  });

  it('wait, at no cost of an attempt, while somebody else is at it', async () => {
    const session = dataSource.createQueryRunner();
    await session.query('SELECT pg_advisory_lock($1, $2)', ROUND_LOCK);
    const answer = await runner.run('apply', { recommendation, actor: ACTOR }, attempt());
    await session.query('SELECT pg_advisory_unlock($1, $2)', ROUND_LOCK);
    await session.release();
    expect(answer).toEqual(retryAfter(5_000));
    expect(told.at(-1)).toMatchObject({ phase: 'waiting' });
    expect(await events()).toEqual([]);
  });

  it('end in the same way for a worker that died when its work was done', async () => {
    const first = await runner.run('apply', { recommendation, actor: ACTOR }, attempt());
    expect(first).toMatchObject({ recommendation, status: 'kept' });
    expect(await runner.run('apply', { recommendation, actor: ACTOR }, attempt(2))).toEqual(first);
    expect(await events()).toMatchObject([
      { action: 'index.apply', event: 'succeeded', detail: expect.stringMatching(/^Kept/) },
      { action: 'index.apply', event: 'succeeded' },
    ]);
    const ledger = await optimizer.adaptiveIndexing.ledger();
    expect(ledger).toMatchObject([{ status: 'kept', actor: 'ann' }]);
  });

  it('fail for good where to try again would end in the same way, and the audit says why', async () => {
    const unknown = { recommendation: '000000000000', actor: ACTOR };
    await expect(runner.run('revert', unknown, attempt())).rejects.toThrow(PermanentTaskError);
    expect((await events())[0]).toEqual({
      action: 'index.revert',
      event: 'failed',
      detail: 'The recommendation 000000000000 does not exist',
    });
    // Somebody has put another index in its place.
    const { plan } = await optimizer.adaptiveIndexing.recommendation(recommendation);
    await dataSource.query(`DROP INDEX "${plan.indexName}"`);
    await dataSource.query(`CREATE INDEX "${plan.indexName}" ON parcel (note)`);
    const changed = runner.run('revert', { recommendation, actor: ACTOR }, attempt());
    await expect(changed).rejects.toThrow(PermanentTaskError);
    expect((await events())[0]).toMatchObject({
      event: 'failed',
      detail: expect.stringContaining('not the one'),
    });
    const found = await dataSource.query<unknown[]>('SELECT FROM pg_indexes WHERE indexname = $1', [
      plan.indexName,
    ]);
    expect(found).toHaveLength(1);
  });
});
