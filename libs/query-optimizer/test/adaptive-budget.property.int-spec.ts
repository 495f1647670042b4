import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';

import { DailyBudget } from '../src/adaptive/daily-budget.js';
import { loadAnalyser } from '../src/analysis/parser.js';
import { IndexLedger } from '../src/index-builder/index-ledger.js';
import { IndexTrials } from '../src/index-builder/index-trial.js';
import { parseIndexPlan } from '../src/index-builder/index-plan.js';
import { TestDatabase } from './test-database.js';

const RUNS = Number(process.env['PEREGRINE_PROPERTY_RUNS'] ?? 30);
const DAY_HOURS = 24;
const BY_NAME = {
  id: 'a',
  table: { schema: 'public', name: 'file' },
  indexName: 'file_name_idx',
  keys: ['name'],
};

interface Build {
  /** Since the beginning. */
  readonly hour: number;
  /** Zero when it did not stay. */
  readonly bytes: number;
}

/** A wish for an index, some hours after the one before. */
const wish = fc.record({
  hours: fc.integer({ min: 0, max: 30 }),
  estimate: fc.integer({ min: 1, max: 120 }),
  /** Estimates are wrong. */
  actual: fc.integer({ min: 1, max: 240 }),
  end: fc.constantFrom('kept', 'dropped', 'failed', 'reverted', 'killed'),
});

describe('the budget of a day', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    await loadAnalyser();
    database = await TestDatabase.create();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('is never exceeded within any 24 hours, in builds and in bytes, whatever came of them', async () => {
    await new IndexLedger(client).install();
    const limits = fc.record({
      indexesPerDay: fc.integer({ min: 0, max: 4 }),
      bytesPerDay: fc.integer({ min: 0, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(wish, { maxLength: 15 }), async (given, wishes) => {
        await client.query('TRUNCATE peregrine_index_ledger');
        const builds: Build[] = [];
        let hour = 0;
        for (const { hours, estimate, actual, end } of wishes) {
          hour += hours;
          await client.query(
            `UPDATE peregrine_index_ledger SET started_at = started_at - make_interval(hours => $1)`,
            [hours],
          );
          // A process has no memory but the ledger.
          const budget = new DailyBudget(given);
          const ledger = new IndexLedger(client);
          const spent = await ledger.spentInADay();
          if (budget.refusal(spent, estimate) !== null) continue;
          const id = await ledger.begin(parseIndexPlan(BY_NAME), 'a round');
          const stays = (end === 'kept' || end === 'reverted') && actual <= budget.bytesLeft(spent);
          const status = stays ? end : end === 'failed' ? 'failed' : 'dropped';
          if (end !== 'killed') await ledger.end(id, { status, decision: 'it ended', sizeBytes: actual });
          builds.push({ hour, bytes: stays ? actual : 0 });
        }
        for (const { hour: last } of builds) {
          const day = builds.filter((it) => it.hour <= last && it.hour > last - DAY_HOURS);
          expect(day.length).toBeLessThanOrEqual(given.indexesPerDay);
          expect(day.reduce((sum, it) => sum + it.bytes, 0)).toBeLessThanOrEqual(given.bytesPerDay);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('holds for an index that turns out to be larger than was thought', async () => {
    await database.run(
      'CREATE TABLE file AS SELECT n AS id, md5(n::text) AS name FROM generate_series(1, 5000) n',
    );
    const pool = new pg.Pool({ connectionString: database.url, max: 3 });
    try {
      const trials = new IndexTrials({ source: pool });
      const [tooLarge] = await trials.run([{ plan: BY_NAME, statements: [], maxBytes: 100_000 }]);
      expect(tooLarge).toMatchObject({
        status: 'dropped',
        decision: expect.stringMatching(/^Dropped: it takes \d+ bytes, and 100000 were left for it$/),
      });
      expect(await database.run(`SELECT 1 FROM pg_class WHERE relname = 'file_name_idx'`)).toEqual([]);
      const [fits] = await trials.run([{ plan: BY_NAME, statements: [], maxBytes: 10_000_000 }]);
      expect(fits).toMatchObject({ status: 'kept' });
    } finally {
      await pool.end();
    }
  });
});
