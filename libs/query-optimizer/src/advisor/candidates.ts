import { candidateOf, type Candidate, type IndexKey } from './candidate.js';
import { type ConstantUse } from './constant-use.js';
import { ginCandidates, prefixKey } from './text-candidates.js';
import { bridgeLists, keyLists, keysOfUse, type UseKeys } from './key-lists.js';
import { type ColumnFacts, type TableCatalogue, type TableFacts } from './table-facts.js';
import { type Comparison, type TableUse } from './table-use.js';

/** A table of one page is read whole, whatever indexes it has. */
const MIN_PAGES = 2;
const BRIN_MIN_PAGES = 1_024;
const BRIN_MIN_CORRELATION = 0.9;
const HASH_MIN_BYTES = 100;
/** More is a second copy of the table. */
const MAX_INCLUDED_COLUMNS = 4;
const MAX_INCLUDED_BYTES = 100;

/** Every index that might help one use of a table, the narrow ones first. */
export function candidatesFor(
  use: TableUse,
  tables: TableCatalogue,
  constants: ConstantUse,
): readonly Candidate[] {
  if (use.table.pageCount < MIN_PAGES) return [];
  const table = tables.indexOwner(use.table);
  const keys = keysOfUse(use);
  // One row is found by its key: that it lies in the table and not in the index is one page.
  if (findsSingleRow(use)) return keyLists(keys).map((it) => btree(table, it, [], null));
  const found = [
    ...keyLists(keys).flatMap((it) => withIncluded(table, use, it, null)),
    ...bridges(table, keys),
    ...partial(table, use, keys, constants),
    ...brin(table, use),
    ...hash(table, keys),
    ...ginCandidates(table, use.comparisons),
    ...prefixes(table, use),
  ];
  return [...new Map(found.map((it) => [it.id, it])).values()];
}

function findsSingleRow({ table, comparisons }: TableUse): boolean {
  const fixed = new Set(
    comparisons
      .filter((it) => it.operator === '=' && it.partners.length === 0 && !it.isAlternative)
      .map((it) => it.key.sql),
  );
  return table.indexes.some(
    ({ isUnique, predicate, keys }) => isUnique && predicate === null && keys.every((it) => fixed.has(it)),
  );
}

interface Condition {
  readonly sql: string;
  readonly column: string;
}

function btree(
  table: TableFacts,
  keys: readonly IndexKey[],
  included: readonly string[],
  condition: Condition | null,
): Candidate {
  const predicate = condition?.sql ?? null;
  const predicateColumns = condition === null ? [] : [condition.column];
  return candidateOf({
    table,
    method: 'btree',
    keys,
    included,
    predicate,
    predicateColumns,
    extension: null,
  });
}

/** The index itself, and with all other columns that are read, for scans that need no table. */
function withIncluded(
  table: TableFacts,
  { neededColumns }: TableUse,
  keys: readonly IndexKey[],
  condition: Condition | null,
): Candidate[] {
  if (!keys.every((it) => isUsableKey(it, table))) return [];
  const narrow = btree(table, keys, [], condition);
  if (neededColumns === null || keys.some((it) => it.isExpression)) return [narrow];
  const held = new Set(keys.flatMap((it) => it.columns));
  // What a partial index's condition says of a column needs no column: `is null`, `= 'pending'`.
  if (condition !== null) held.add(condition.column);
  const included = [...table.columns.values()].filter(
    (it) => neededColumns.has(it.name) && !held.has(it.name),
  );
  const bytes = included.reduce((sum, it) => sum + it.averageBytes, 0);
  const fits = included.length <= MAX_INCLUDED_COLUMNS && bytes <= MAX_INCLUDED_BYTES;
  if (included.length === 0 || !fits) return [narrow];
  const names = included.map((it) => it.name);
  return [narrow, btree(table, keys, names, condition)];
}

/** Without more columns: an index on one of the two tables' keys that includes the rest does the same. */
function bridges(table: TableFacts, keys: UseKeys): Candidate[] {
  const lists = bridgeLists(keys).filter((list) => list.every((it) => isUsableKey(it, table)));
  return lists.map((it) => btree(table, it, [], null));
}

function isUsableKey({ columns, isExpression }: IndexKey, table: TableFacts): boolean {
  return isExpression || columns.every((it) => isSortable(table.columns.get(it)));
}

function isSortable(column: ColumnFacts | undefined): boolean {
  return column?.isSortable === true && column.baseType !== 'tsvector' && column.baseType !== 'jsonb';
}

function partial(
  table: TableFacts,
  use: TableUse,
  keys: UseKeys,
  constants: ConstantUse,
): readonly Candidate[] {
  return use.comparisons.flatMap((comparison) => {
    const condition = conditionOf(table, use.table, comparison, constants);
    if (condition === null) return [];
    const rest = keyLists(without(keys, condition.column));
    // With nothing else to look for, the rows themselves are what the index is for.
    const lists = rest.length > 0 ? rest : [[plainKey(condition.column, comparison.key.sql)]];
    return lists.flatMap((it) => withIncluded(table, use, it, condition));
  });
}

function conditionOf(
  table: TableFacts,
  scanned: TableFacts,
  { key, operator, constant, isAlternative }: Comparison,
  constants: ConstantUse,
): Condition | null {
  const column = scanned.columns.get(key.sql.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'));
  if (column === undefined || key.isExpression || isAlternative) return null;
  const { nullFraction, name } = column;
  const made = (sql: string): Condition => ({ sql, column: name });
  if (operator === 'is null') return nullFraction < 0.5 ? made(`${key.sql} IS NULL`) : null;
  if (operator === 'is not null') return nullFraction > 0.5 ? made(`${key.sql} IS NOT NULL`) : null;
  if (operator === 'is true') return made(key.sql);
  if (operator === 'is false') return made(`NOT ${key.sql}`);
  const isRepeated = operator === '=' && constant !== null && constants.isRepeated(scanned, name, constant);
  return isRepeated && table.columns.has(name) ? made(`${key.sql} = ${constant}`) : null;
}

function without(keys: UseKeys, column: string): UseKeys {
  const others = (list: readonly IndexKey[]) => list.filter((it) => !it.columns.includes(column));
  const lists = (all: readonly (readonly IndexKey[])[]) => all.map(others).filter((it) => it.length > 0);
  return {
    equal: others(keys.equal),
    ranges: others(keys.ranges),
    joins: lists(keys.joins),
    orders: lists(keys.orders),
    alternatives: others(keys.alternatives),
  };
}

const RANGE_OPERATORS = new Set(['<', '<=', '>', '>=']);

/** Small, for columns that grow with the table: a time stamp of a log. */
function brin(table: TableFacts, { table: scanned, comparisons }: TableUse): Candidate[] {
  if (scanned.pageCount < BRIN_MIN_PAGES) return [];
  const columns = comparisons.flatMap(({ key, operator, partners }) => {
    const correlation = Math.abs(scanned.columns.get(key.columns[0] ?? '')?.correlation ?? 0);
    const fits = RANGE_OPERATORS.has(operator) && partners.length === 0 && !key.isExpression;
    return fits && correlation >= BRIN_MIN_CORRELATION ? [plainKey(key.columns[0] ?? '', key.sql)] : [];
  });
  return columns.map((it) => bare(table, 'brin', it));
}

/** Long values that are only ever looked up whole. */
function hash(table: TableFacts, { equal }: UseKeys): Candidate[] {
  const long = equal.filter(
    (it) => !it.isExpression && (table.columns.get(it.columns[0] ?? '')?.averageBytes ?? 0) >= HASH_MIN_BYTES,
  );
  return long.map((it) => bare(table, 'hash', it));
}

function bare(table: TableFacts, method: Candidate['method'], key: IndexKey): Candidate {
  const none = { included: [], predicate: null, predicateColumns: [], extension: null };
  return candidateOf({ table, method, keys: [key], ...none });
}

/** `LIKE 'abc%'` needs a class of operators of its own unless the collation is C. */
function prefixes(table: TableFacts, use: TableUse): Candidate[] {
  return use.comparisons.flatMap((it) => {
    const key = prefixKey(it, use.table);
    return key === null ? [] : withIncluded(table, use, [key], null);
  });
}

function plainKey(column: string, sql: string): IndexKey {
  return {
    sql,
    columns: [column],
    isExpression: false,
    operatorClass: null,
    direction: 'asc',
    nulls: null,
  };
}
