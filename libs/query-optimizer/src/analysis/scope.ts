import { type Node } from 'libpg-query';

import { expressionText } from './expression-text.js';
import { type ColumnScope, type ColumnUse } from './predicate.js';
import { type RelationName } from './relation-name.js';
import { isBranch, stringOf } from './tree.js';

/** One thing in FROM that columns may come from. */
export interface RangeItem {
  readonly alias: string;
  /** Index of the table reference; null for a subquery, a function or a CTE. */
  readonly reference: number | null;
  readonly relation: RelationName | null;
  readonly renamesColumns: boolean;
  /** Its row may be missing at this place of the join tree. */
  readonly nullable: boolean;
}

/** Names that are visible at one place of the text. */
export interface Scope {
  readonly block: number;
  items: readonly RangeItem[];
  readonly parent: Scope | null;
  /** Names of CTEs, which hide tables. */
  readonly ctes: ReadonlySet<string>;
}

/** The column that a reference means, null for `*`. */
export function columnUse(fields: readonly Node[], scope: Scope): ColumnUse | null {
  const name = stringOf(fields.at(-1));
  if (name === null) return null;
  if (fields.length === 1) return unqualified(name, scope);
  const item = findItem(
    fields.slice(0, -1).map((it) => stringOf(it) ?? ''),
    scope,
  );
  return { name, reference: usable(item) ? item.reference : null, scopes: [], expression: null };
}

/** The item that `alias` or `schema.table` names, innermost query first. */
export function findItem(qualifier: readonly string[], scope: Scope): RangeItem | null {
  const alias = qualifier.at(-1);
  const schema = qualifier.at(-2);
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    const found = level.items.find(
      (it) => it.alias === alias && (schema === undefined || it.relation?.schema === schema),
    );
    if (found !== undefined) return found;
  }
  return null;
}

function usable(item: RangeItem | null): item is RangeItem {
  return item !== null && !item.renamesColumns;
}

function unqualified(name: string, scope: Scope): ColumnUse {
  const levels: ColumnScope[] = [];
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    if (level.items.length > 0) levels.push(columnScope(level.items));
  }
  const [only, ...outer] = levels;
  const certain = only !== undefined && outer.length === 0 && !only.opaque && only.references.length === 1;
  const reference = certain ? (only.references[0] ?? null) : null;
  return { name, reference, scopes: certain ? [] : levels, expression: null };
}

function columnScope(items: readonly RangeItem[]): ColumnScope {
  const tables = items.filter((it) => it.reference !== null && !it.renamesColumns);
  return {
    references: tables.flatMap((it) => it.reference ?? []),
    opaque: tables.length < items.length,
  };
}

/** The one column inside an expression such as `lower(email)`; null when there is none or another one beside it. */
export function expressionColumn(node: Node, scope: Scope): ColumnUse | null {
  if ('ColumnRef' in node) return columnUse(node.ColumnRef.fields ?? [], scope);
  const text = expressionText(node);
  if (text === null) return null;
  const found = columnsBelow(node, scope);
  const [first] = found;
  if (first === undefined) return null;
  const same = found.every((it) => it.name === first.name && it.reference === first.reference);
  return same ? { ...first, expression: text } : null;
}

function columnsBelow(value: unknown, scope: Scope, found: ColumnUse[] = []): ColumnUse[] {
  if (Array.isArray(value)) for (const it of value) columnsBelow(it, scope, found);
  else if (isBranch(value)) {
    if (isBranch(value.ColumnRef)) {
      const use = columnUse(value.ColumnRef.fields as Node[], scope);
      if (use !== null) found.push(use);
    } else for (const it of Object.values(value)) columnsBelow(it, scope, found);
  }
  return found;
}
