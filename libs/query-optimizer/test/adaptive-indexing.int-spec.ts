import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { installSlowQueryHistory } from '../src/slow-queries/history-tables.js';
import { AdaptiveDatabase, EVENTS_OF_FILE, FILES_OF_WORKSPACE } from './adaptive-database.js';
import { until } from './until.js';

const BOTH = [FILES_OF_WORKSPACE, EVENTS_OF_FILE];

describe('adaptive indexing', () => {
  let db: AdaptiveDatabase;

  beforeAll(async () => {
    db = await AdaptiveDatabase.create();
  });
  afterEach(() => db.forget());
  afterAll(() => db.drop());

  const later = (table: string, column: string, days: number) =>
    db.database.run(`UPDATE ${table} SET ${column} = ${column} - interval '${days} days'`);

  it('does nothing while it is off', async () => {
    expect(await db.process({ mode: 'off' }).runRound()).toMatchObject({ id: null, outcome: 'off' });
    expect(await db.database.run(`SELECT relname FROM pg_class WHERE relname LIKE 'peregrine%'`)).toEqual([]);
  });

  it('recommends what would help, with reasons that every process sees, and builds nothing', async () => {
    const round = await db.process({ mode: 'recommend' }, BOTH).runRound();
    expect(round).toMatchObject({ outcome: 'completed', statements: 2, sources: ['2 of this process'] });
    const other = db.process({ mode: 'off' });
    const found = await other.recommendations();
    expect(found.map((it) => it.id)).toEqual(round.recommended);
    expect(found.map((it) => it.plan.table.name)).toEqual(expect.arrayContaining(['file', 'event']));
    const ofFile = found.find((it) => it.plan.table.name === 'file');
    expect(ofFile).toMatchObject({
      state: 'open',
      decision: null,
      statement: expect.stringContaining('CREATE INDEX CONCURRENTLY'),
      reasons: expect.arrayContaining([expect.any(String)]),
      improvement: { source: expect.stringMatching(/^(hypopg|sample-clone)$/), savedMs: expect.any(Number) },
      serves: [{ sql: 'SELECT * FROM file WHERE workspace_id = $1', calls: 1_000, totalMs: 20_000 }],
      ledgerId: null,
    });
    expect(await other.recommendation(ofFile?.id ?? '')).toEqual(ofFile);
    expect(await other.rounds()).toMatchObject([
      { ...round, startedAt: expect.any(Date), endedAt: expect.any(Date) },
    ]);
    expect(await db.indexes()).toEqual([]);
    expect(await other.ledger()).toEqual([]);
  });

  it('builds, measures, keeps, and builds nothing twice', async () => {
    const process = db.process({ actor: 'a test' });
    const round = await process.runRound();
    expect(round).toMatchObject({ outcome: 'completed', kept: round.recommended, dropped: [], failed: [] });
    const [kept] = await process.recommendations();
    expect(kept).toMatchObject({ state: 'kept', decision: expect.stringContaining('Kept: 1 statements') });
    const [entry, ...more] = await process.ledger();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      id: kept?.ledgerId,
      status: 'kept',
      actor: 'a test',
      recommendation: kept?.id,
    });
    expect(kept?.sizeBytes).toBe(entry?.sizeBytes);
    expect(await db.process().runRound()).toMatchObject({ outcome: 'completed', recommended: [], kept: [] });
    expect(await process.ledger()).toEqual([entry]);
    expect(await db.indexes()).toEqual([kept?.plan.indexName]);
  });

  it('builds all of a round before it measures, so that indexes stay that gain only beside each other', async () => {
    const process = db.process({}, BOTH);
    const round = await process.runRound();
    expect(round.kept.toSorted()).toEqual(round.recommended.toSorted());
    const entries = await process.ledger();
    const ends = await db.database.run<{ isTogether: boolean }>(
      `SELECT max(started_at) < min(ended_at) AS "isTogether" FROM peregrine_index_ledger`,
    );
    expect(entries).toHaveLength(2);
    expect(ends).toEqual([{ isTogether: true }]);
  });

  it('takes the workload from what other processes have written, and measures with typical values', async () => {
    for (const sql of installSlowQueryHistory()) await db.database.run(sql);
    await db.database.run(
      `INSERT INTO peregrine_slow_queries (hour, fingerprint, process, sql, kind, calls, slow_calls, errors, rows, total_ms,
         max_ms, latency) VALUES (date_trunc('hour', now()), 'f', gen_random_uuid(),
         'SELECT * FROM file WHERE workspace_id = $1', 'select', 500, 5, 0, 10000, 9000, 200, '{}')`,
    );
    const process = db.process({}, []);
    const round = await process.runRound();
    expect(round.sources).toContain('1 of the history of slow queries');
    expect(round.kept).toHaveLength(1);
    const [entry] = await process.ledger();
    expect(entry?.measurements).toMatchObject([
      { calls: 500, beforeMs: expect.any(Number), afterMs: expect.any(Number) },
    ]);
  });

  it('asks for evidence first', async () => {
    const rare = [
      { ...FILES_OF_WORKSPACE, calls: 19 },
      { ...EVENTS_OF_FILE, totalMs: 900 },
    ];
    const process = db.process({}, rare);
    expect(await process.runRound()).toMatchObject({ outcome: 'completed', statements: 0, recommended: [] });
    expect(await db.indexes()).toEqual([]);
  });

  it('keeps to the number of indexes of a day, whatever process builds, and goes on a day later', async () => {
    const budget = { indexesPerDay: 1 };
    expect((await db.process(budget, BOTH).runRound()).kept).toHaveLength(1);
    const restarted = db.process(budget, BOTH);
    expect(await restarted.runRound()).toMatchObject({ outcome: 'completed', kept: [], failed: [] });
    expect(await restarted.recommendations({ state: 'open' })).toMatchObject([
      { decision: 'Waits for the budget: 1 of 1 builds of the last 24 hours are used' },
    ]);
    expect((await restarted.status()).budget).toMatchObject({ indexesPerDay: 1, indexesUsed: 1 });
    await later('peregrine_index_ledger', 'started_at', 1);
    expect((await restarted.runRound()).kept).toHaveLength(1);
    expect(await db.indexes()).toHaveLength(2);
  });

  it('keeps to the room of a day', async () => {
    const process = db.process({ bytesPerDay: 200_000 }, BOTH);
    await process.runRound();
    const { budget } = await process.status();
    expect(budget.bytesUsed).toBeLessThanOrEqual(200_000);
    expect(await process.recommendations({ state: 'open' })).toMatchObject([
      { decision: expect.stringMatching(/^Waits for the budget: .* MB/) },
      { decision: expect.stringMatching(/^Waits for the budget: .* MB/) },
    ]);
    expect(await db.indexes()).toEqual([]);
  });

  it('builds within its hours only', async () => {
    const hours = { buildHours: ['22:00-04:30'], timeZone: 'Europe/Berlin' };
    const noon = Date.UTC(2026, 0, 10, 12);
    const closed = db.process({ ...hours, now: () => noon });
    await closed.runRound();
    expect(await closed.recommendations()).toMatchObject([
      {
        state: 'open',
        decision: 'Waits for the hours in which indexes are built: 22:00-04:30 Europe/Berlin',
      },
    ]);
    expect(await closed.status()).toMatchObject({
      mayBuildNow: false,
      nextBuildAt: new Date(Date.UTC(2026, 0, 10, 21)),
    });
    const night = db.process({ ...hours, now: () => Date.UTC(2026, 0, 11, 1) });
    expect((await night.runRound()).kept).toHaveLength(1);
    expect(await night.status()).toMatchObject({ mayBuildNow: true });
  });

  it('runs one round at a time over all processes', async () => {
    await db.whileHeld(async (release) => {
      let isBuilding = false;
      const first = db
        .process()
        .runRound({ onProgress: ({ build }) => (isBuilding ||= build !== undefined) });
      await until(() => isBuilding);
      const second = db.process();
      expect(await second.runRound()).toMatchObject({ id: null, outcome: 'busy' });
      expect(await second.status()).toMatchObject({ isBusy: true, lastRound: { outcome: 'running' } });
      const [{ id = '' } = {}] = await second.recommendations();
      await expect(second.apply(id)).rejects.toMatchObject({ code: 'QUERY_INDEX_BUSY' });
      await expect(second.revert(id)).rejects.toMatchObject({ code: 'QUERY_INDEX_BUSY' });
      await release();
      expect(await first).toMatchObject({ outcome: 'completed' });
      expect(await second.status()).toMatchObject({ isBusy: false });
    });
  });

  it('goes on after a process that was killed in the middle, and leaves nothing half built', async () => {
    await db.whileHeld(async (release) => {
      let isBuilding = false;
      const doomed = db
        .process({ actor: 'doomed' })
        .runRound({ onProgress: ({ build }) => (isBuilding ||= build !== undefined) });
      await until(() => isBuilding);
      // As the end of its process would: all of its connections are gone at once.
      await db.database.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                              WHERE datname = current_database() AND application_name = 'doomed'`);
      expect(await doomed).toMatchObject({ outcome: 'failed' });
      await release();
    });
    expect(await db.indexes()).toEqual([expect.stringContaining('(invalid)')]);
    const restarted = db.process();
    expect(await restarted.recommendations()).toMatchObject([{ state: 'applied' }]);
    const round = await restarted.runRound();
    expect(round).toMatchObject({ outcome: 'completed', kept: round.recommended });
    expect(await db.indexes()).toEqual([(await restarted.recommendations())[0]?.plan.indexName]);
    expect(await restarted.rounds()).toMatchObject([
      { outcome: 'completed' },
      { outcome: 'failed', endedAt: expect.any(Date) },
    ]);
    expect((await restarted.ledger()).map((it) => it.status)).toEqual(['kept', 'failed']);
  });

  it('cancels a build, and says nothing against its index', async () => {
    await db.whileHeld(async (release) => {
      const abort = new AbortController();
      const process = db.process();
      const round = process.runRound({
        signal: abort.signal,
        onProgress: ({ build }) => build && abort.abort(),
      });
      await until(() => abort.signal.aborted);
      await until(async () => {
        const sql = `SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database()`;
        return (await db.database.run(sql)).length === 0;
      });
      await release();
      expect(await round).toMatchObject({ outcome: 'cancelled', failed: [] });
      expect(await process.recommendations()).toMatchObject([{ state: 'open' }]);
    });
    expect(await db.indexes()).toEqual([]);
    expect(await db.process().runRound()).toMatchObject({ outcome: 'completed', kept: [expect.any(String)] });
  });

  it('does not try again what was measured and dropped, until its time is over', async () => {
    const strict = { minGain: 1 };
    const process = db.process(strict);
    expect((await process.runRound()).dropped).toHaveLength(1);
    expect(await process.runRound()).toMatchObject({ recommended: [expect.any(String)], dropped: [] });
    expect(await process.recommendations()).toMatchObject([{ state: 'dropped' }]);
    await later('peregrine_index_recommendations', 'decided_at', 15);
    await later('peregrine_index_ledger', 'started_at', 15);
    expect((await process.runRound()).dropped).toHaveLength(1);
    expect(await process.ledger()).toHaveLength(2);
    expect(await db.indexes()).toEqual([]);
  });

  it('tries it again when it is for other statements by now', async () => {
    const [id = ''] = (await db.process({ minGain: 1 }).runRound()).dropped;
    await db.database.run(`UPDATE peregrine_index_recommendations SET serves = '[{"statement": "another"}]'`);
    const process = db.process();
    expect(await process.runRound()).toMatchObject({ kept: [id] });
    expect((await process.ledger()).map((it) => it.status)).toEqual(['kept', 'dropped']);
  });

  it('looks after the schemas that it is told, and leaves the others to those who look after them', async () => {
    const everybody = db.process({ mode: 'recommend' });
    await everybody.runRound();
    const elsewhere = db.process({ schemas: ['elsewhere'] });
    expect(await elsewhere.runRound()).toMatchObject({ outcome: 'completed', recommended: [], kept: [] });
    expect(await everybody.recommendations()).toMatchObject([{ state: 'open', decision: null }]);
    expect((await db.process({ schemas: ['public'] }).runRound()).kept).toHaveLength(1);
  });

  it('forgets what the workload does not ask for any more', async () => {
    const process = db.process({ mode: 'recommend' });
    await process.runRound();
    await db.process({ mode: 'recommend' }, []).runRound();
    expect(await process.recommendations()).toMatchObject([{ state: 'obsolete' }]);
    await process.runRound();
    expect(await process.recommendations()).toMatchObject([{ state: 'open' }]);
  });

  it('says what it could not do where it has no right, or nothing may be written', async () => {
    const role = `${db.database.name}_reader`;
    await db.database
      .run(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
                           GRANT CREATE ON SCHEMA public TO ${role}`);
    try {
      const url = new URL(db.database.url);
      url.username = role;
      url.password = 'reader';
      const reader = db.process({}, [FILES_OF_WORKSPACE], url.href);
      const round = await reader.runRound();
      expect(round).toMatchObject({ outcome: 'completed', failed: round.recommended });
      expect(await reader.recommendations()).toMatchObject([
        { state: 'failed', decision: expect.stringContaining('must be owner of table file') },
      ]);
      expect(await reader.runRound()).toMatchObject({ outcome: 'completed', failed: [] });
      url.searchParams.set('options', '-c default_transaction_read_only=on');
      const readOnly = db.process({}, [FILES_OF_WORKSPACE], url.href);
      expect(await readOnly.runRound()).toMatchObject({
        outcome: 'failed',
        problems: [{ part: 'tables', reason: expect.stringContaining('read-only transaction') }],
      });
      expect(await readOnly.status()).toMatchObject({ isBusy: false });
    } finally {
      await db.closePools();
      await db.database.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
    expect(await db.indexes()).toEqual([]);
  });

  it('says that there is no server', async () => {
    const gone = db.process({}, [], 'postgres://127.0.0.1:1/none');
    expect(await gone.runRound()).toMatchObject({ outcome: 'failed', problems: [{ part: 'tables' }] });
  });
});
