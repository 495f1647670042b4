import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type Advice } from '../src/advisor/advice.js';
import { advise } from '../src/advisor/advise.js';
import { type AdvisorOptionsInput } from '../src/advisor/advisor.options.js';
import { TestDatabase } from './test-database.js';

/** Nobody analyses the tables at his own time: the planner sees the same statistics at every run. */
const QUIET = 'WITH (autovacuum_enabled = off)';
const SCHEMA = `
  CREATE TABLE part (id int PRIMARY KEY, brand text NOT NULL, box text NOT NULL, size int NOT NULL) ${QUIET};
  INSERT INTO part SELECT i, 'brand ' || i % 25, 'box ' || i % 40, i % 50 FROM generate_series(1, 6000) i;
  CREATE TABLE trade (id int PRIMARY KEY, buyer_id int NOT NULL, placed_on date NOT NULL, note text NOT NULL) ${QUIET};
  INSERT INTO trade SELECT i, 1 + i * 31 % 4000, date '2020-01-01' + i * 7 % 2000, md5(i::text) FROM generate_series(1, 12000) i;
  -- Of a column that is gone the number stays: those of a copy's columns are others.
  CREATE TABLE item (gone int, trade_id int NOT NULL, line int NOT NULL, part_id int NOT NULL, quantity int NOT NULL, price numeric NOT NULL,
    sent_on date NOT NULL, PRIMARY KEY (trade_id, line)) ${QUIET};
  ALTER TABLE item DROP COLUMN gone;
  INSERT INTO item SELECT 1 + i / 4, i % 4, 1 + i * 7 % 6000, 1 + i % 50, i % 977, date '2020-01-01' + i * 11 % 2000
    FROM generate_series(0, 47999) i;
  CREATE TABLE buyer (id int PRIMARY KEY, phone text NOT NULL, balance numeric NOT NULL) ${QUIET};
  INSERT INTO buyer SELECT i, 10 + i % 30 || '-' || i, i % 911 FROM generate_series(1, 5000) i;
  CREATE VIEW revenue AS SELECT part_id, sum(price) AS total FROM item
    WHERE sent_on >= date '2022-01-01' AND sent_on < date '2022-01-01' + interval '1 month' GROUP BY part_id;
`;
const WORKLOAD: readonly (readonly [what: string, sql: string, index: RegExp])[] = [
  [
    'a correlated subquery with an aggregate',
    `SELECT sum(i.price) / 7 FROM item i, part p WHERE p.id = i.part_id AND p.brand = 'brand 3' AND p.box = 'box 3'
       AND i.quantity < (SELECT 0.2 * avg(j.quantity) FROM item j WHERE j.part_id = p.id)`,
    /"item" USING btree \(part_id/,
  ],
  [
    'a semi-join below a semi-join, with a sum of the row',
    `SELECT b.id FROM buyer b WHERE b.id IN (SELECT t.buyer_id FROM trade t WHERE t.id IN (SELECT i.trade_id FROM item i WHERE i.part_id = 17)
       AND 100 > (SELECT 0.5 * sum(k.quantity) FROM item k WHERE k.trade_id = t.id))`,
    /"item" USING btree \(part_id/,
  ],
  [
    'an anti-join behind a CTE over an expression',
    `WITH rich AS (SELECT substring(phone FROM 1 FOR 2) AS code, id FROM buyer WHERE substring(phone FROM 1 FOR 2) IN ('13', '31') AND balance > 905)
       SELECT code, count(*) FROM rich WHERE NOT EXISTS (SELECT FROM trade t WHERE t.buyer_id = rich.id) GROUP BY code`,
    /"trade" USING btree \(buyer_id/,
  ],
  [
    'a date and an interval in a view that is read twice',
    'SELECT r.part_id FROM revenue r WHERE r.total = (SELECT max(total) FROM revenue)',
    /"item" USING btree \(sent_on/,
  ],
  [
    'an OR of conditions that all join',
    `SELECT sum(i.price) FROM item i, part p WHERE (p.id = i.part_id AND p.brand = 'brand 4' AND p.size BETWEEN 1 AND 2 AND i.quantity BETWEEN 1 AND 5)
       OR (p.id = i.part_id AND p.brand = 'brand 9' AND p.size BETWEEN 7 AND 9 AND i.quantity BETWEEN 9 AND 12)`,
    /"item" USING btree \(part_id|"part" USING btree \((brand|size)/,
  ],
];
const UNHURRIED = { timeLimitMs: 600_000, statementTimeoutMs: 120_000 };

describe('advise on decision support', () => {
  let database: TestDatabase;
  let source: pg.Pool;
  let advice: Advice;
  const adviseOn = (options: Partial<AdvisorOptionsInput> = {}) =>
    advise(
      WORKLOAD.map(([id, text]) => ({ id, text, calls: 1, totalMs: 0 })),
      { source, validation: 'sample-clone', ...UNHURRIED, ...options },
    );

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    await database.run('VACUUM ANALYZE');
    source = new pg.Pool({ connectionString: database.url, max: 1 });
    source.on('error', () => undefined);
    advice = await adviseOn();
  });
  afterAll(async () => {
    await source.end();
    await database.drop();
  });

  it('leaves no statement out', () => {
    expect(advice.skipped).toEqual([]);
    expect(advice.forecast).toHaveLength(WORKLOAD.length);
    for (const { before, after } of advice.forecast) expect(after).toBeLessThanOrEqual(before);
  });

  it.each(WORKLOAD)('finds the index for %s', (id, _sql, index) => {
    const serving = advice.recommendations.filter((it) =>
      it.serves.some(({ statement }) => statement === id),
    );
    expect(serving.map((it) => it.statement)).toContainEqual(expect.stringMatching(index));
  });

  it('answers the same every time', async () => {
    const again = await adviseOn();
    const essence = ({ recommendations, forecast, rejected }: Advice) => ({
      recommendations: recommendations.map((it) => [it.statement, it.sizeBytes, it.improvement]),
      forecast,
      rejected,
    });
    expect(essence(again)).toEqual(essence(advice));
  });

  it('tells sizes and costs of indexes that were built from a part of the rows', async () => {
    for (const it of advice.recommendations) await database.run(it.statement);
    try {
      await database.run('VACUUM ANALYZE');
      for (const { indexName, sizeBytes } of advice.recommendations) {
        const [row] = await database.run<{ bytes: number }>(
          'SELECT pg_relation_size($1::regclass)::int AS bytes',
          [pg.escapeIdentifier(indexName)],
        );
        expect(sizeBytes).toBeGreaterThan(row!.bytes * 0.5 - 16_384);
        expect(sizeBytes).toBeLessThan(row!.bytes * 2 + 16_384);
      }
      for (const [id, sql] of WORKLOAD) {
        const [row] = await database.run<{ 'QUERY PLAN': [{ Plan: { 'Total Cost': number } }] }>(
          `EXPLAIN (FORMAT JSON) ${sql}`,
        );
        const predicted = advice.forecast.find((it) => it.statement === id)!.after;
        expect(row!['QUERY PLAN'][0].Plan['Total Cost']).toBeLessThan(predicted * 1.3 + 10);
      }
    } finally {
      for (const it of advice.recommendations) await database.run(`DROP INDEX "${it.indexName}"`);
    }
  });

  it('says when the time limit cut it short', async () => {
    expect(advice).toMatchObject({ isComplete: true });
    const hurried = await adviseOn({ timeLimitMs: 1 });
    expect(hurried.isComplete).toBe(false);
    expect(hurried.validation.notes[0]).toContain('cut the search short');
    expect(hurried.rejected.map((it) => it.code)).toContain('time');
  });
});
