import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';

import { analyseAfresh } from '../src/analysis/analyse.js';
import { canonicalKeyValue } from '../src/analysis/key-value.js';
import { loadAnalyser } from '../src/analysis/parser.js';
import { Catalogue } from '../src/catalogue/catalogue.js';
import { type ResolvedStatement, type TableKey } from '../src/catalogue/resolved-statement.js';
import { RandomQuery, RANDOM_SCHEMA } from './analysis-random-query.js';
import { TestDatabase } from './test-database.js';

// Hundreds of queries, on a machine that others use too.
jest.setTimeout(300_000);

let database: TestDatabase;
let pool: pg.Pool;
let client: pg.PoolClient;
let catalogue: Catalogue;

beforeAll(async () => {
  await loadAnalyser();
  database = await TestDatabase.create();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  await pool.query(RANDOM_SCHEMA);
  catalogue = new Catalogue(pool);
  await catalogue.refresh();
  client = await pool.connect();
  // A monster among the random queries is left out like one that PostgreSQL refuses.
  await client.query(
    'SET statement_timeout = 1000; SET jit = off; SET join_collapse_limit = 1; SET from_collapse_limit = 1',
  );
});
afterAll(async () => {
  client.release();
  await pool.end();
  await database.drop();
});

const RUNS = Number(process.env['ANALYSIS_RUNS'] ?? 250);
/** On a machine that is too busy for all runs, or to shrink a failure to the end, what was found until then counts. */
const LIMITS = { numRuns: RUNS, interruptAfterTimeLimit: 120_000 };
/** Long, since one query takes up to some hundred numbers. */
const tape = fc.array(fc.nat(9_999), { minLength: 60, maxLength: 240, size: 'max' });
const resolve = (text: string) => catalogue.resolve(analyseAfresh(text), ['public']);

interface Plan {
  'Relation Name'?: string;
  Schema?: string;
  Plans?: Plan[];
}

const relationsOf = (plan: Plan): string[] => [
  ...(plan['Relation Name'] === undefined ? [] : [`${plan.Schema}.${plan['Relation Name']}`]),
  ...(plan.Plans ?? []).flatMap(relationsOf),
];

/** The rows as a multiset; null when PostgreSQL refuses the query (an ambiguous column). */
async function rowsOf(text: string): Promise<string | null> {
  await client.query('SAVEPOINT s');
  try {
    const { rows } = await client.query({ text, rowMode: 'array' });
    return rows
      .map((it) => JSON.stringify(it))
      .sort()
      .join('\n');
  } catch {
    return null;
  } finally {
    await client.query('ROLLBACK TO s');
  }
}

const valuesOf = ({ kind, values }: TableKey): Set<string | undefined> =>
  new Set(values.map((it) => (it.kind === 'constant' ? canonicalKeyValue(kind, it.value) : undefined)));

/** The rule of invalidation: a table that both use, unless a key of both tells that the rows are different ones. */
function mayAffect(write: ResolvedStatement, read: ResolvedStatement): boolean {
  if (write.unknownWrites) return true;
  return write.writes.some(
    ({ oid }) => read.reads.some((it) => it.oid === oid) && !areApart(oid, write, read),
  );
}

function areApart(table: number, write: ResolvedStatement, read: ResolvedStatement): boolean {
  return read.readKeys.some(
    (one) =>
      one.table === table &&
      write.writeKeys.some(
        (other) =>
          other.table === table &&
          other.column === one.column &&
          valuesOf(one).isDisjointFrom(valuesOf(other)),
      ),
  );
}

it('finds every table that the plan of a random query reads', async () => {
  let [asked, understood] = [0, 0];
  await fc.assert(
    fc.asyncProperty(tape, async (numbers) => {
      const text = new RandomQuery(numbers).statement();
      asked += 1;
      const plan = await client
        .query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (FORMAT JSON, VERBOSE) ${text}`)
        .catch(() => null);
      if (plan === null) return;
      understood += 1;
      const read = new Set(resolve(text).reads.map((it) => `${it.schema}.${it.name}`));
      const missed = relationsOf(plan.rows[0]!['QUERY PLAN'][0].Plan).filter((it) => !read.has(it));
      expect({ text, missed }).toEqual({ text, missed: [] });
    }),
    LIMITS,
  );
  expect(understood).toBeGreaterThan(asked / 2);
});

it('never takes a write for harmless that changes the result of a random query', async () => {
  const count = { queries: 0, byKey: 0, changed: 0 };
  await fc.assert(
    fc.asyncProperty(tape, tape, async (queryNumbers, numbers) => {
      const random = new RandomQuery(numbers);
      const text = new RandomQuery(queryNumbers).statement();
      const read = resolve(text);
      await client.query('BEGIN');
      try {
        await client.query(dataOf(random));
        const before = await rowsOf(text);
        if (before === null) return;
        count.queries += 1;
        for (let i = 0; i < 8; i++) await checkWrite(random.write(100 + i), { text, read, before, count });
      } finally {
        await client.query('ROLLBACK');
      }
    }),
    LIMITS,
  );
  // The test says something only if keys decide often, and writes do change results often.
  expect(count.byKey).toBeGreaterThan(count.queries / 5);
  expect(count.changed).toBeGreaterThan(count.queries / 5);
});

async function checkWrite(
  write: string,
  check: {
    text: string;
    read: ResolvedStatement;
    before: string;
    count: { queries: number; byKey: number; changed: number };
  },
): Promise<void> {
  const { text, read, before, count } = check;
  const resolved = resolve(write);
  const isHarmful = mayAffect(resolved, read);
  await client.query('SAVEPOINT w');
  try {
    await client.query(write);
    const after = await rowsOf(text);
    if (after !== before) count.changed += 1;
    if (!isHarmful) {
      if (resolved.writes.some(({ oid }) => read.reads.some((it) => it.oid === oid))) count.byKey += 1;
      expect({ text, write, rows: after }).toEqual({ text, write, rows: before });
    }
  } catch (error) {
    // The write itself may be refused (a key that exists).
    if (!(error instanceof pg.DatabaseError)) throw error;
  } finally {
    await client.query('ROLLBACK TO w');
  }
}

/** Some rows in each table. */
function dataOf(random: RandomQuery): string {
  const small = () => (random.next(6) === 0 ? 'NULL' : String(random.next(3)));
  const rows = (n: number, extra = '') =>
    Array.from(
      { length: n },
      (_, i) => `(${i}, ${small()}, ${small()}${extra === '' ? '' : `, ${random.next(5)}`})`,
    ).join(', ');
  return `INSERT INTO a VALUES ${rows(5)}; INSERT INTO b VALUES ${rows(5, 'a')};
    INSERT INTO c VALUES ${rows(3)}; INSERT INTO p VALUES ${rows(4)}`;
}
