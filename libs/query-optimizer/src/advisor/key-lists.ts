import { type IndexKey } from './candidate.js';
import { type Comparison, type KeyExpression, type OrderKey, type TableUse } from './table-use.js';

/** What one use of a table offers as keys, by role. */
export interface UseKeys {
  /** Compared with constants; what has more values comes first. */
  readonly equal: readonly IndexKey[];
  readonly ranges: readonly IndexKey[];
  /** Compared with columns of one other table each. */
  readonly joins: readonly (readonly IndexKey[])[];
  readonly orders: readonly (readonly IndexKey[])[];
  /** Arms of an OR: each for itself. */
  readonly alternatives: readonly IndexKey[];
}

const EQUAL = new Set(['=', '= any', 'is null', 'is true', 'is false']);
const RANGE = new Set(['<', '<=', '>', '>=']);
const MAX_KEYS = 4;
const MAX_JOIN_PARTNERS = 4;

export function keysOfUse({ table, comparisons, orders }: TableUse): UseKeys {
  const plain = comparisons.filter((it) => it.partners.length === 0 && !it.isAlternative);
  const distinctCount = (key: IndexKey): number =>
    key.isExpression ? table.rowCount : (table.columns.get(key.columns[0] ?? '')?.distinctCount ?? 1);
  const equal = distinct(plain.filter((it) => EQUAL.has(it.operator)).map((it) => keyOf(it.key)));
  return {
    equal: equal.toSorted((a, b) => distinctCount(b) - distinctCount(a)),
    ranges: distinct(plain.filter((it) => RANGE.has(it.operator)).map((it) => keyOf(it.key))),
    joins: joinGroups(comparisons),
    orders: orders.map((it) => directed(it.slice(0, MAX_KEYS))),
    alternatives: distinct(
      comparisons
        .filter((it) => it.isAlternative && (EQUAL.has(it.operator) || RANGE.has(it.operator)))
        .map((it) => keyOf(it.key)),
    ),
  };
}

function joinGroups(comparisons: readonly Comparison[]): IndexKey[][] {
  const groups = new Map<string, IndexKey[]>();
  for (const { key, operator, partners } of comparisons) {
    if (operator !== '=' || partners.length === 0) continue;
    const group = partners.toSorted().join('\0');
    groups.set(group, [...(groups.get(group) ?? []), keyOf(key)]);
  }
  const lists = [...groups.values()].map(distinct);
  return [...new Map(lists.map((it) => [textOf(it), it])).values()].slice(0, MAX_JOIN_PARTNERS);
}

/** The orders of columns that are worth a try: equality first, then a range or the sort order. */
export function keyLists({ equal, ranges, joins, orders, alternatives }: UseKeys): readonly IndexKey[][] {
  const lists: IndexKey[][] = [
    ...singles([...equal, ...ranges, ...alternatives, ...joins.flat()]),
    [...equal],
    ...ranges.map((it) => [...equal, it]),
    ...orders.map((it) => [...equal, ...it]),
    ...orders.map((it) => [...it]),
    ...joins.flatMap((join) => [
      [...join],
      [...join, ...equal],
      [...equal, ...join],
      ...ranges.slice(0, 2).flatMap((it) => [
        [...join, it],
        [...join, ...equal, it],
      ]),
    ]),
  ];
  return clean(lists);
}

/** The table between two others: rows are found by one of them, and the other's key is at hand. */
export function bridgeLists({ joins }: UseKeys): readonly IndexKey[][] {
  return clean(joins.flatMap((join) => joins.filter((it) => it !== join).map((it) => [...join, ...it])));
}

function clean(lists: readonly IndexKey[][]): IndexKey[][] {
  const some = lists.map((it) => distinct(it).slice(0, MAX_KEYS)).filter((it) => it.length > 0);
  return [...new Map(some.map((it) => [textOf(it), it])).values()];
}

function singles(keys: readonly IndexKey[]): IndexKey[][] {
  return distinct(keys).map((it) => [it]);
}

/**
 * ORDER BY as keys. A b-tree is read from both ends, so an order that is all descending needs no DESC; mixed ones do, and
 * so do nulls that are not where the direction has them.
 */
function directed(order: readonly OrderKey[]): IndexKey[] {
  const isReverse = order.every((it) => it.direction === 'desc' && it.nulls !== 'last');
  return distinct(
    order.map(({ key, direction, nulls }) =>
      isReverse ? keyOf(key) : { ...keyOf(key), direction, nulls: unusualNulls(direction, nulls) },
    ),
  );
}

function unusualNulls(direction: 'asc' | 'desc', nulls: OrderKey['nulls']): OrderKey['nulls'] {
  return nulls === (direction === 'asc' ? 'last' : 'first') ? null : nulls;
}

function keyOf({ sql, columns, isExpression }: KeyExpression): IndexKey {
  return { sql, columns, isExpression, operatorClass: null, direction: 'asc', nulls: null };
}

/** The first of those with the same text. */
function distinct(keys: readonly IndexKey[]): IndexKey[] {
  const found = new Map<string, IndexKey>();
  for (const it of keys) if (!found.has(it.sql)) found.set(it.sql, it);
  return [...found.values()];
}

function textOf(keys: readonly IndexKey[]): string {
  return keys.map((it) => `${it.sql} ${it.direction} ${it.nulls ?? ''}`).join('\0');
}
