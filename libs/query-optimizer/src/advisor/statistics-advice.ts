import { formatRelationName } from '../analysis/relation-name.js';
import { type StatisticsAdvice } from './advice.js';
import { type AdvisorSession } from './advisor-session.js';
import { quoteIdentifier, shortName } from './candidate.js';
import { type PlannedWorkload } from './planned-workload.js';
import { type TableFacts } from './table-facts.js';

/** Larger tables are sampled down to this for counting values together. */
const SAMPLED_BYTES = 16 * 1_024 * 1_024;
/** Up to this size the different values of a column are counted, not estimated. */
const COUNTED_BYTES = 128 * 1_024 * 1_024;
const MAX_QUESTIONS = 20;
/** Together the columns have fewer than this part of the values that they would have if they were independent. */
const DEPENDENT = 0.5;
/** ANALYZE is wrong by more than this factor. */
const WRONG = 5;

interface Pair {
  readonly table: TableFacts;
  readonly columns: readonly [string, string];
}

/**
 * Where better statistics are the answer, or part of it: tables that were never analysed; columns that conditions name together
 * and that depend on each other, which PostgreSQL takes for independent; columns of joins with far more values than ANALYZE saw
 * in its sample. Each is shown by counting, not guessed.
 *
 * @param deadline as performance.now counts
 */
export async function statisticsAdvice(
  session: AdvisorSession,
  planned: PlannedWorkload,
  deadline: number,
): Promise<readonly StatisticsAdvice[]> {
  const found: StatisticsAdvice[] = planned.tables.all.filter(isUnknown).map((it) => ({
    table: { schema: it.schema, name: it.name },
    columns: [],
    statement: `ANALYZE ${formatRelationName(it)}`,
    reason: 'The table has rows and no statistics: every estimate about it is a guess.',
  }));
  const questions = [
    ...pairsOf(planned).map((it) => () => dependence(session, it)),
    ...joinColumnsOf(planned).map((it) => () => distinctness(session, it.table, it.column)),
  ];
  for (const ask of questions.slice(0, MAX_QUESTIONS)) {
    if (performance.now() > deadline) break;
    const answer = await session.attempt(ask);
    if (answer !== null && !(answer instanceof Error)) found.push(answer);
  }
  return found;
}

function isUnknown({ kind, sizeBytes, rowCount, columns }: TableFacts): boolean {
  const hasStatistics = [...columns.values()].some((it) => it.commonValue !== null || it.median !== null);
  return kind !== 'p' && sizeBytes > 0 && rowCount === 0 && !hasStatistics;
}

function pairsOf({ statements }: PlannedWorkload): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { uses } of statements) {
    for (const { table, comparisons } of uses) {
      const columns = comparisons
        .filter((it) => it.operator.startsWith('=') && it.partners.length === 0 && !it.key.isExpression)
        .flatMap((it) => it.key.columns);
      const names = [...new Set(columns)].sort();
      for (const [i, one] of names.entries())
        for (const other of names.slice(i + 1))
          pairs.set(`${table.oid} ${one} ${other}`, { table, columns: [one, other] });
    }
  }
  return [...pairs.values()].filter(({ table, columns }) => !isUniqueTogether(table, columns));
}

/** A key finds one row, however its columns depend on each other. */
function isUniqueTogether(table: TableFacts, columns: readonly string[]): boolean {
  return table.indexes.some((it) => it.isUnique && it.keys.every((key) => columns.includes(key)));
}

async function dependence(
  session: AdvisorSession,
  { table, columns }: Pair,
): Promise<StatisticsAdvice | null> {
  const [one, other] = columns.map(quoteIdentifier) as [string, string];
  const share = Math.min(100, (100 * SAMPLED_BYTES) / Math.max(1, table.sizeBytes));
  const sample = share < 100 ? ` TABLESAMPLE SYSTEM (${share}) REPEATABLE (1)` : '';
  const [row] = await session.rows<{
    rows: string;
    one: string;
    other: string;
    both: string;
    known: boolean;
  }>(
    `SELECT count(*) AS rows, count(DISTINCT ${one}) AS one, count(DISTINCT ${other}) AS other,
            count(DISTINCT (${one}, ${other})) AS both,
            EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = $1::oid AND (
              SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = s.stxrelid
                AND a.attnum = ANY (s.stxkeys::int2[]) AND a.attname = ANY ($2)) = 2) AS known
     FROM ${formatRelationName(table)}${sample}`,
    [table.oid, columns],
  );
  if (row === undefined || row.known) return null;
  const combinations = Number(row.one) * Number(row.other);
  // How many of them that many rows would show if the columns were independent.
  const expected = combinations * (1 - (1 - 1 / Math.max(1, combinations)) ** Number(row.rows));
  if (Number(row.one) < 2 || Number(row.other) < 2 || Number(row.both) >= expected * DEPENDENT) return null;
  // Before PostgreSQL 16 they must have a name.
  const name = formatRelationName({
    schema: table.schema,
    name: shortName([table.name, ...columns].join('_'), '_statistics'),
  });
  return {
    table: { schema: table.schema, name: table.name },
    columns,
    statement: `CREATE STATISTICS ${name} (ndistinct, dependencies, mcv) ON ${one}, ${other} FROM ${formatRelationName(table)}`,
    reason: `Conditions name both columns, which have ${row.both} values together where independent ones would have ${Math.round(expected)}: PostgreSQL multiplies their selectivities and expects far too few rows. Run ANALYZE afterwards.`,
  };
}

function joinColumnsOf({ statements }: PlannedWorkload): readonly { table: TableFacts; column: string }[] {
  const found = new Map<string, { table: TableFacts; column: string }>();
  for (const { uses } of statements) {
    for (const { table, comparisons } of uses) {
      for (const { key, operator, partners } of comparisons) {
        const [column] = key.columns;
        if (operator !== '=' || partners.length === 0 || key.isExpression || column === undefined) continue;
        found.set(`${table.oid} ${column}`, { table, column });
      }
    }
  }
  // A sample of 30,000 rows is the whole of a smaller table.
  return [...found.values()].filter(
    ({ table, column }) =>
      table.rowCount > 30_000 &&
      table.sizeBytes <= COUNTED_BYTES &&
      (table.columns.get(column)?.distinctCount ?? table.rowCount) < table.rowCount / WRONG,
  );
}

async function distinctness(
  session: AdvisorSession,
  table: TableFacts,
  column: string,
): Promise<StatisticsAdvice | null> {
  const name = quoteIdentifier(column);
  const relation = formatRelationName(table);
  const [row] = await session.rows<{ values: string; rows: string }>(
    `SELECT count(DISTINCT ${name}) AS values, count(${name}) AS rows FROM ${relation}`,
  );
  const known = table.columns.get(column)?.distinctCount ?? 0;
  const values = Number(row?.values ?? 0);
  if (values < known * WRONG) return null;
  const share = (-values / Math.max(1, Number(row?.rows))).toFixed(4);
  return {
    table: { schema: table.schema, name: table.name },
    columns: [column],
    statement: `ALTER TABLE ${relation} ALTER COLUMN ${name} SET (n_distinct = ${share})`,
    reason: `The column of a join has ${values} values, and ANALYZE saw ${Math.round(known)} in its sample. Run ANALYZE afterwards.`,
  };
}
