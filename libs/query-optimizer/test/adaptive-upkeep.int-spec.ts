import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { AdaptiveDatabase, EVENTS_OF_FILE, FILES_OF_WORKSPACE } from './adaptive-database.js';
import { until } from './until.js';

const BOTH = [FILES_OF_WORKSPACE, EVENTS_OF_FILE];
const NOON_MS = 43_200_000;
/** PostgreSQL counts the use of an index when a connection has rested for 10 s, and a round on a busy machine takes some. */
const COUNTED_MS = 80_000;

jest.setTimeout(240_000);

describe('what adaptive indexing has built, and what people build beside it', () => {
  let db: AdaptiveDatabase;

  beforeAll(async () => {
    db = await AdaptiveDatabase.create();
  });
  afterEach(() => db.forget());
  afterAll(() => db.drop());

  const later = (table: string, column: string, days: number) =>
    db.database.run(`UPDATE ${table} SET ${column} = ${column} - interval '${days} days'`);

  it('follows what people build and revert from the command line', async () => {
    const process = db.process();
    const [id = ''] = (await process.runRound()).kept;
    await db.database.run(
      `UPDATE peregrine_index_ledger SET status = 'reverted', decision = 'Reverted by ann'`,
    );
    await db.database.run(`DROP INDEX ${(await db.indexes()).join()}`);
    expect(await process.runRound()).toMatchObject({ outcome: 'completed', kept: [], recommended: [id] });
    expect(await process.recommendations()).toMatchObject([
      { id, state: 'reverted', decision: 'Reverted by ann' },
    ]);
  });

  it('reverts what it has kept and nobody uses, and not what a person has built', async () => {
    const process = db.process({ indexesPerDay: 9 }, BOTH);
    await db.process({ mode: 'recommend' }, BOTH).runRound();
    const ofEvents = (await process.recommendations()).find((it) => it.plan.table.name === 'event');
    await process.apply(ofEvents?.id ?? '', { actor: 'ann' });
    const [ofFiles = ''] = (await process.runRound()).kept;
    const proposing = db.process({ mode: 'recommend' }, BOTH);
    const [kept] = await proposing.recommendations({ state: 'kept' });
    expect(kept).toMatchObject({ revertProposal: null, usedAt: expect.any(Date) });
    // What the trials themselves have used is counted when their connections have rested, which may be later.
    await until(async () => {
      await proposing.runRound();
      await later('peregrine_index_recommendations', 'used_at', 31);
      await proposing.runRound();
      const all = await proposing.recommendations({ state: 'kept' });
      return all.length === 2 && all.every((it) => it.revertProposal !== null);
    }, COUNTED_MS);
    expect(await db.indexes()).toHaveLength(2);
    await until(async () => {
      await later('peregrine_index_recommendations', 'used_at', 31);
      return (await process.runRound()).reverted.includes(ofFiles);
    }, COUNTED_MS);
    expect(await db.indexes()).toEqual([ofEvents?.plan.indexName]);
    expect(await process.recommendation(ofFiles)).toMatchObject({
      state: 'reverted',
      decision: expect.stringMatching(/^Reverted by adaptive indexing: Not used since \d{4}-\d\d-\d\d$/),
    });
    expect(await process.recommendation(ofEvents?.id ?? '')).toMatchObject({ state: 'kept' });
  });

  it('counts the use of all parts of an index on a partitioned table, and none while a replica does not answer', async () => {
    await db.database.run(`
      CREATE TABLE part (at int NOT NULL, kind int NOT NULL) PARTITION BY RANGE (at);
      CREATE TABLE part_a PARTITION OF part FOR VALUES FROM (0) TO (30000);
      CREATE TABLE part_b PARTITION OF part FOR VALUES FROM (30000) TO (60000);
      INSERT INTO part SELECT n, n % 5000 FROM generate_series(0, 59999) n; ANALYZE part`);
    try {
      const text = 'SELECT at FROM part WHERE kind = 7';
      const process = db.process({}, [{ ...FILES_OF_WORKSPACE, text, parameters: [] }]);
      const [id = ''] = (await process.runRound()).kept;
      expect(await process.recommendation(id)).toMatchObject({
        state: 'kept',
        plan: { isPartitioned: true },
      });
      const blind = db.process({ replicas: ['postgres://127.0.0.1:1/none'] }, []);
      await later('peregrine_index_recommendations', 'used_at', 31);
      expect((await blind.runRound()).problems).toContainEqual({
        part: 'watch',
        reason: expect.stringMatching(/^replica 1: .*; nothing is judged to be unused$/),
      });
      const watching = db.process({ mode: 'recommend' }, []);
      const isUsed = async () => {
        await later('peregrine_index_recommendations', 'used_at', 31);
        await db.database.run(text);
        await watching.runRound();
        return (await watching.recommendation(id)).revertProposal === null;
      };
      // Its first look only notes the count; what is used after it shows in a later one.
      await until(isUsed, COUNTED_MS);
      await until(isUsed, COUNTED_MS);
      expect(await process.recommendation(id)).toMatchObject({ state: 'kept' });
    } finally {
      await db.closePools();
      await db.database.run('DROP TABLE part');
    }
  });

  it('never touches an index that it did not build', async () => {
    const recommending = db.process({ mode: 'recommend' });
    const [id = ''] = (await recommending.runRound()).recommended;
    const { plan } = await recommending.recommendation(id);
    const foreign = `CREATE INDEX ${plan.indexName} ON file (size)`;
    await db.database.run(foreign);
    const process = db.process();
    expect(await process.runRound()).toMatchObject({ outcome: 'completed', failed: [id] });
    expect(await process.recommendation(id)).toMatchObject({
      state: 'failed',
      decision: expect.stringContaining('there is an index'),
    });
    await expect(process.revert(id)).rejects.toMatchObject({
      code: 'QUERY_RECOMMENDATION',
      failure: 'state',
    });
    await db.database.run(`DROP INDEX ${plan.indexName}`);
    await process.apply(id);
    await db.database.run(`DROP INDEX ${plan.indexName}; ${foreign}`);
    await expect(process.revert(id)).rejects.toMatchObject({ code: 'QUERY_INDEX_BUILD', failure: 'changed' });
    expect(await db.process({ mode: 'recommend' }, []).runRound()).toMatchObject({ outcome: 'completed' });
    expect(await process.recommendation(id)).toMatchObject({
      state: 'obsolete',
      decision: 'Another index has its name by now, which is left alone',
    });
    expect(await db.indexes()).toEqual([plan.indexName]);
  });

  it('lets a person apply and revert, whatever mode, hours and budget say', async () => {
    const process = db.process({
      mode: 'recommend',
      indexesPerDay: 0,
      buildHours: ['03:00-03:01'],
      now: () => NOON_MS,
    });
    const [id = ''] = (await process.runRound()).recommended;
    const phases = new Set<string>();
    const entry = await process.apply(id, { actor: 'ann', onProgress: ({ phase }) => phases.add(phase) });
    expect(entry).toMatchObject({ status: 'kept', actor: 'ann', recommendation: id });
    expect([...phases]).toEqual(['build']);
    expect(await process.recommendation(id)).toMatchObject({ state: 'kept', ledgerId: entry.id });
    await expect(process.apply(id)).rejects.toMatchObject({ code: 'QUERY_RECOMMENDATION', failure: 'state' });
    expect(await process.revert(id, { actor: 'bob' })).toMatchObject({ decision: 'Reverted by bob' });
    expect(await process.recommendation(id)).toMatchObject({ state: 'reverted' });
    for (const wrong of ['unknown', '1; DROP TABLE file', ''])
      await expect(process.apply(wrong)).rejects.toMatchObject({
        code: 'QUERY_RECOMMENDATION',
        failure: 'unknown',
      });
    expect(await db.indexes()).toEqual([]);
    expect(process.collect()).toContainEqual(
      expect.objectContaining({
        name: 'db_index_changes_total',
        samples: expect.arrayContaining([
          { labels: { result: 'kept' }, value: 1 },
          { labels: { result: 'reverted' }, value: 1 },
        ]),
      }),
    );
  });
});
