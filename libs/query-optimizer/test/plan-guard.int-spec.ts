import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type CreateQueryOptimizerOptions } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

const SCHEMA = `
  CREATE TABLE event (id int PRIMARY KEY, kind int NOT NULL, name text);
  INSERT INTO event SELECT n, CASE WHEN n > 499980 THEN 7 ELSE n % 5 END, 'event ' || n FROM generate_series(1, 500000) n;
  CREATE INDEX by_kind ON event (kind);
`;
/** Tells the setting that it runs with. */
const SQL = `SELECT id, current_setting('enable_indexscan') AS scans FROM event WHERE kind = $1 ORDER BY id LIMIT 10`;
/** All rows have to be read, which they are as it is. */
const READ_ALL = { enable_indexscan: 'off', enable_bitmapscan: 'off', enable_indexonlyscan: 'off' };

describe('plan guard', () => {
  let database: TestDatabase;
  const optimizers = new OpenOptimizers();
  const open = (planGuard: CreateQueryOptimizerOptions['planGuard'], slow = {}) =>
    optimizers.open(database, {
      pool: {
        min: 1,
        max: 6,
        reserve: 1,
        acquireTimeoutMs: 30_000,
        session: { max_parallel_workers_per_gather: 0, jit: false },
      },
      slowQueries: {
        thresholdMs: 0,
        refreshMs: 3_600_000,
        serverStatistics: false,
        sample: { perMinute: 10_000, burst: 1_000, intervalMs: 0, ...slow },
      },
      ...(planGuard && { planGuard }),
    });
  const run = async (optimizer: QueryOptimizer) => {
    const { rows } = await optimizer.execute<{ id: number; scans: string }>(SQL, [7]);
    await optimizer.slowQueries.settled();
    await optimizer.planGuard.settled();
    return rows[0];
  };
  /** Few of the kind: by their index. */
  const setGood = async () => {
    await database.run('DELETE FROM event WHERE id > 500000');
    await database.run('ANALYZE event');
  };
  /** Many: in the order of the key until ten are found. It would be soon, were they not all at the end. */
  const setBad = async () => {
    await database.run('INSERT INTO event SELECT n, 7, $1 FROM generate_series(500001, 510000) n', ['late']);
    await database.run('ANALYZE event');
  };

  /** A machine may be busy with something else at any one of the runs. */
  const becomesWorse = async (optimizer: QueryOptimizer, condition: () => boolean) => {
    await setGood();
    for (let turn = 0; turn < 3; turn++) expect(await run(optimizer)).toEqual({ id: 499_981, scans: 'on' });
    await setBad();
    await until(async () => {
      await run(optimizer);
      return condition();
    });
  };
  const isPinned = (optimizer: QueryOptimizer) => () => optimizer.report().planGuard.pinned.length === 1;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
  });
  afterEach(() => optimizers.close());
  afterAll(() => database.drop());

  it('gives a statement other settings after its plan became worse, while they help', async () => {
    const optimizer = await open({ enabled: true, controlEvery: 3, retryMs: 0, patienceMs: 60_000 });
    await becomesWorse(optimizer, isPinned(optimizer));
    const { planGuard, slowQueries } = optimizer.report();
    expect(slowQueries.queries[0]?.regression).toMatchObject({ evidence: 'same parameters' });
    expect(planGuard.pinned).toHaveLength(1);
    const [pin] = planGuard.pinned;
    expect(pin?.trial.armMs).toBeLessThan((pin?.trial.defaultMs ?? 0) * 0.7);
    expect(planGuard.decisions[0]).toMatchObject({
      arm: pin?.arm.name,
      reason: expect.stringContaining('taken'),
    });

    // Of three runs one goes without; others on the connection, and those in a transaction, never know.
    const settings = [];
    for (let turn = 0; turn < 6; turn++) settings.push((await run(optimizer))?.scans);
    expect(pin?.arm.name).toBe('no index scan');
    expect(settings).toEqual(['off', 'off', 'on', 'off', 'off', 'on']);
    await optimizer.pool.use(async (client) => {
      const both = await Promise.all([
        client.query<{ scans: string }>(SQL, [7]),
        client.query<{ scans: string }>(`SELECT current_setting('enable_indexscan') AS scans`),
      ]);
      expect(both.map((it) => it.rows[0]?.scans)).toEqual(['off', 'on']);
      await client.query('BEGIN');
      expect((await client.query<{ scans: string }>(SQL, [7])).rows[0]?.scans).toBe('on');
      await client.query('ROLLBACK');
    });
    expect(optimizer.report().planGuard.pinned[0]).toMatchObject({ runs: 5, controls: 2, strikes: 0 });

    // The planner knows better again.
    await setGood();
    await until(async () => {
      await run(optimizer);
      return optimizer.report().planGuard.pinned.length === 0;
    });
    expect(optimizer.report().planGuard.decisions[0]?.reason).toMatch(/^dropped: with the settings/);
  });

  it('takes no settings that do not help, and none that the server refuses', async () => {
    const optimizer = await open({
      enabled: true,
      minGain: 0.95,
      arms: [
        { name: 'the same', settings: { enable_tidscan: 'off' } },
        { name: 'refused', settings: { work_mem: 'a lot' } },
        { name: 'a little', settings: READ_ALL },
      ],
    });
    await becomesWorse(optimizer, () => optimizer.report().planGuard.decisions.length > 0);
    const { pinned, decisions } = optimizer.report().planGuard;
    expect(pinned).toEqual([]);
    expect(decisions[0]).toMatchObject({ arm: null, reason: 'no arm is better by enough' });
    expect(decisions[0]?.rejected).toEqual([
      { arm: 'the same', reason: 'it has a plan that was measured already' },
      { arm: 'refused', reason: 'PostgreSQL refused a value (22023)' },
      { arm: 'a little', reason: expect.any(String) },
    ]);
  });

  it('gives a run up that takes too long with the settings, and repeats it without', async () => {
    const optimizer = await open({ enabled: true, controlEvery: 1_000, retryMs: 0 });
    await becomesWorse(optimizer, isPinned(optimizer));
    // Whoever has the table locked makes it last, with whatever settings.
    await optimizer.pool.use(async (client) => {
      for (let strike = 0; strike < 2; strike++) {
        await client.query('BEGIN; LOCK TABLE event IN ACCESS EXCLUSIVE MODE');
        const waiting = optimizer.execute<{ id: number }>(SQL, [7]);
        const struck = () => {
          const { pinned, decisions } = optimizer.report().planGuard;
          return (pinned[0]?.strikes ?? decisions.length) > strike;
        };
        await until(struck);
        await client.query('COMMIT');
        expect((await waiting).rows[0]?.id).toBe(499_981);
      }
    });
    const { pinned, decisions } = optimizer.report().planGuard;
    expect(pinned).toEqual([]);
    expect(decisions[0]?.reason).toBe('dropped: 2 runs took much longer than without');
  });

  it('is off unless it is asked for, and takes settings of the planner only', async () => {
    const optimizer = await open(undefined);
    await becomesWorse(optimizer, () => optimizer.report().slowQueries.regressions > 0);
    expect(optimizer.report().planGuard).toEqual({ enabled: false, pinned: [], decisions: [] });
    const arms = [{ name: 'evil', settings: { search_path: 'elsewhere' } }];
    await expect(open({ enabled: true, arms })).rejects.toThrow('is no setting of the planner');
  });
});
