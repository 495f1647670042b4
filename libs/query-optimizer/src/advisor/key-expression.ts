import { type Node } from 'libpg-query';

import { expressionText } from '../analysis/expression-text.js';
import { castName } from '../analysis/operand.js';
import { isBranch, stringOf } from '../analysis/tree.js';
import { type ColumnFacts } from './table-facts.js';
import { type KeyExpression } from './table-use.js';

/** The column or expression as an index would have it as a key; null for what no index can have. */
export function keyExpression(node: Node, columns: ReadonlyMap<string, ColumnFacts>): KeyExpression | null {
  const bare = withoutRelabelling(node, columns);
  const sql = expressionText(bare);
  const names = columnsBelow(bare);
  if (sql === null || names.length === 0 || names.some((it) => !columns.has(it))) return null;
  const isExpression = !('ColumnRef' in bare);
  if (isExpression && hasParameter(bare)) return null;
  return { sql, columns: names, isExpression };
}

/** Casts that change no bit, as EXPLAIN writes them around varchar and domain columns: an index on the column serves. */
function withoutRelabelling(node: Node, columns: ReadonlyMap<string, ColumnFacts>): Node {
  if (!('TypeCast' in node) || node.TypeCast.arg === undefined || !('ColumnRef' in node.TypeCast.arg))
    return node;
  const column = columns.get(stringOf(node.TypeCast.arg.ColumnRef.fields?.at(-1)) ?? '');
  const target = castName(node.TypeCast.typeName);
  const isSame = target === column?.baseType || (column?.baseType === 'varchar' && target === 'text');
  return isSame ? node.TypeCast.arg : node;
}

function columnsBelow(value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) for (const it of value) columnsBelow(it, found);
  else if (isBranch(value)) {
    if (isBranch(value.ColumnRef)) {
      const name = stringOf((value.ColumnRef.fields as Node[]).at(-1));
      if (name !== null && !found.includes(name)) found.push(name);
    } else for (const it of Object.values(value)) columnsBelow(it, found);
  }
  return found;
}

function hasParameter(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasParameter);
  if (!isBranch(value)) return false;
  return (
    isBranch(value.ParamRef) || isBranch(value.SQLValueFunction) || Object.values(value).some(hasParameter)
  );
}

/** Table names that the columns below are qualified with, each once. */
export function aliasesBelow(value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) for (const it of value) aliasesBelow(it, found);
  else if (isBranch(value)) {
    if (isBranch(value.ColumnRef)) {
      const alias = stringOf((value.ColumnRef.fields as Node[]).at(-2));
      if (alias !== null && !found.includes(alias)) found.push(alias);
    } else for (const it of Object.values(value)) aliasesBelow(it, found);
  }
  return found;
}

/** A column name as {@link keyExpression} writes it. */
export function quoteUnlessPlain(name: string): string {
  return expressionText({ ColumnRef: { fields: [{ String: { sval: name } }] } }) ?? name;
}
