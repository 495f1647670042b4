import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { advise } from '../src/advisor/advise.js';
import { joinHeavySchema, joinHeavyStatements } from './advisor/join-heavy.js';
import { TestDatabase } from './test-database.js';

/** Of the 113: joins of 4 to 15 tables. */
const STATEMENTS = joinHeavyStatements().slice(0, 8);

describe('advise on large joins', () => {
  let database: TestDatabase;
  let source: pg.Pool;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(joinHeavySchema(1_500));
    await database.run('VACUUM ANALYZE');
    source = new pg.Pool({ connectionString: database.url, max: 1 });
  });
  afterAll(async () => {
    await source.end();
    await database.drop();
  });

  it('makes every statement cheaper or leaves it as it is, with few plans', async () => {
    const advice = await advise(
      STATEMENTS.map((text) => ({ text, calls: 1, totalMs: 0 })),
      { source, validation: 'sample-clone', timeLimitMs: 600_000, statementTimeoutMs: 120_000 },
    );
    expect(advice.skipped).toEqual([]);
    expect(advice.forecast).toHaveLength(STATEMENTS.length);
    for (const { before, after } of advice.forecast) expect(after).toBeLessThanOrEqual(before);
    const sum = (side: 'before' | 'after') => advice.forecast.reduce((total, it) => total + it[side], 0);
    expect(sum('after')).toBeLessThan(sum('before') / 2);
    // Trying each of hundreds of candidates with each statement would be thousands.
    expect(advice.planCount).toBeLessThan(STATEMENTS.length * 30);
    expect(advice.recommendations.length).toBeGreaterThan(3);
    expect(advice.recommendations.length + advice.rejected.length).toBeGreaterThan(100);
  });
});
