import { candidateOf, type Candidate, type IndexKey } from './candidate.js';
import { type TableFacts } from './table-facts.js';
import { type Comparison } from './table-use.js';

const PATTERN_OPERATORS = new Set(['~~', '~~*', '~', '~*']);
const JSON_KEY_OPERATORS = new Set(['?', '?|', '?&']);
const JSON_PATH_OPERATORS = new Set(['@>', '@?', '@@']);
const ARRAY_OPERATORS = new Set(['@>', '&&', '<@']);

/** GIN indexes: full text, patterns by trigrams, jsonb and arrays. */
export function ginCandidates(table: TableFacts, comparisons: readonly Comparison[]): Candidate[] {
  return comparisons.flatMap((it) => {
    const operatorClass = operatorClassFor(it, table);
    if (operatorClass === undefined) return [];
    const { sql, columns, isExpression } = it.key;
    const key: IndexKey = { sql, columns, isExpression, operatorClass, direction: 'asc', nulls: null };
    const extension = operatorClass === 'gin_trgm_ops' ? 'pg_trgm' : null;
    const none = { included: [], predicate: null, predicateColumns: [] };
    return [candidateOf({ table, method: 'gin', keys: [key], ...none, extension })];
  });
}

/** Null is the default class; undefined: GIN does not serve the comparison. */
function operatorClassFor(
  { key, operator, partners, constant }: Comparison,
  table: TableFacts,
): string | null | undefined {
  if (partners.length > 0) return undefined;
  const column = key.isExpression ? undefined : table.columns.get(key.columns[0] ?? '');
  const isVector = column?.baseType === 'tsvector' || /^(?:pg_catalog\.)?to_tsvector\(/.test(key.sql);
  if (operator === '@@' && isVector) return null;
  if (PATTERN_OPERATORS.has(operator) && isText(column, key.sql) && !isPrefixPattern(operator, constant))
    return 'gin_trgm_ops';
  if (column?.baseType === 'jsonb') {
    if (JSON_KEY_OPERATORS.has(operator)) return null;
    return JSON_PATH_OPERATORS.has(operator) ? 'jsonb_path_ops' : undefined;
  }
  return column?.category === 'A' && ARRAY_OPERATORS.has(operator) ? null : undefined;
}

function isText(column: { readonly category: string } | undefined, sql: string): boolean {
  return column === undefined
    ? /^\(*(?:pg_catalog\.)?(?:lower|upper|concat)\(|->>/.test(sql)
    : column.category === 'S';
}

/** `LIKE 'abc%'`: the beginning is known, so a b-tree finds it. */
function isPrefixPattern(operator: string, constant: string | null): boolean {
  return operator === '~~' && constant !== null && /^\(?E?'[^%_']/.test(constant);
}

/** The key that serves `LIKE 'abc%'`, null for other comparisons. */
export function prefixKey(
  { key, operator, constant, partners }: Comparison,
  table: TableFacts,
): IndexKey | null {
  if (partners.length > 0 || !isPrefixPattern(operator, constant)) return null;
  const column = key.isExpression ? undefined : table.columns.get(key.columns[0] ?? '');
  if (!isText(column, key.sql)) return null;
  const { sql, columns, isExpression } = key;
  return { sql, columns, isExpression, operatorClass: 'text_pattern_ops', direction: 'asc', nulls: null };
}
