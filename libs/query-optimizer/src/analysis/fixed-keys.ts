import { type KeyKind } from './key-value.js';
import { type ColumnUse, type Operand, type Predicate } from './predicate.js';
import { formatRelationName, type RelationName } from './relation-name.js';
import { type Statement, type TableWrite } from './statement.js';

/** Columns with the only values that count. */
export type KeyValues = ReadonlyMap<string, readonly Operand[]>;

/** What the catalogue knows more than the text. */
export interface KeyKnowledge {
  /** The reference that a column belongs to; null when that is not certain. */
  ownerOf(column: ColumnUse): number | null;
  /** Null for a column that can not be a key. */
  kindOf(reference: number, column: string): KeyKind | null;
}

export interface FixedKeys {
  readonly table: RelationName;
  readonly columns: KeyValues;
}

const NO_KEYS: KeyValues = new Map();

/**
 * The columns that the text pins per table, without a catalogue: unqualified columns count only where one table is in
 * reach, and types are taken to be comparable. For decisions use `ResolvedStatement.readKeys` and `.writeKeys`, which
 * check both. A table that is missing may be read, or written, at any row.
 */
export function fixedKeys(statement: Statement): {
  readonly reads: readonly FixedKeys[];
  readonly writes: readonly FixedKeys[];
} {
  const pinned = pinnedByReference(statement, { ownerOf: (it) => it.reference, kindOf: () => 'text' });
  const reads = statement.references.flatMap(({ use, relation }, index) =>
    use === 'read' ? [{ relation, values: pinned.get(index) ?? NO_KEYS }] : [],
  );
  const writes = statement.writes.map((it) => ({ relation: it.relation, values: writtenKeys(it, pinned) }));
  return { reads: byTable(reads), writes: byTable(writes) };
}

/** `t` and `public.t` may be one table: all references of one name have to agree. */
function byTable(uses: readonly { relation: RelationName; values: KeyValues }[]): FixedKeys[] {
  const found = new Map(uses.map((it) => [formatRelationName(it.relation), it.relation]));
  return [...found.values()].flatMap((table) => {
    const columns = agreement(uses.filter((it) => it.relation.name === table.name).map((it) => it.values));
    return columns.size === 0 ? [] : [{ table, columns }];
  });
}

/** The columns that all have, each with all values of any. */
export function agreement(all: readonly KeyValues[]): KeyValues {
  const [first, ...others] = all;
  const agreed = new Map<string, readonly Operand[]>();
  for (const [column, values] of first ?? NO_KEYS) {
    const more = others.map((it) => it.get(column));
    if (!more.includes(undefined)) agreed.set(column, [...values, ...more.flatMap((it) => it ?? [])]);
  }
  return agreed;
}

/**
 * For each reference the columns of which only rows with the given values can influence the statement.
 *
 * Why it is sound: a predicate counts only for references in `Predicate.decides`, of which rows that fail it leave the
 * result of their query block as it is; then they leave the whole statement as it is, whatever is built on the block
 * (aggregates, NOT EXISTS, outer joins around it). Each reference is taken as a relation of its own, so a table that is
 * read twice is pinned only if both are. An equality of two columns hands a pin on: with `a.k = b.k` and `b.k` pinned,
 * rows of b with other keys could be removed first, and then rows of a with other keys fail the equality.
 */
export function pinnedByReference(statement: Statement, know: KeyKnowledge): ReadonlyMap<number, KeyValues> {
  const pinned = new Map<number, Map<string, readonly Operand[]>>();
  const pin = (reference: number, column: string, values: readonly Operand[]): boolean => {
    const columns = pinned.get(reference) ?? new Map<string, readonly Operand[]>();
    if (columns.has(column)) return false;
    pinned.set(reference, columns.set(column, values));
    return true;
  };
  for (const it of statement.predicates) {
    const owner = ownerIn(it, know);
    const values = valuesOf(it);
    if (owner !== null && values !== null) pin(owner, it.column.name, values);
  }
  // Each round hands at least one pin on, so there are at most as many rounds as equalities.
  while (statement.predicates.some((it) => handOn(it, know, pinned, pin)));
  return pinned;
}

function handOn(
  predicate: Predicate,
  know: KeyKnowledge,
  pinned: ReadonlyMap<number, KeyValues>,
  pin: (reference: number, column: string, values: readonly Operand[]) => boolean,
): boolean {
  const { operator, operand, column } = predicate;
  if (operator !== '=' || operand.kind !== 'column' || operand.column.expression !== null) return false;
  const owner = ownerIn(predicate, know);
  const other = know.ownerOf(operand.column);
  if (owner === null || other === null || owner === other) return false;
  const values = pinned.get(other)?.get(operand.column.name);
  if (values === undefined) return false;
  const kind = know.kindOf(owner, column.name);
  return kind !== null && kind === know.kindOf(other, operand.column.name) && pin(owner, column.name, values);
}

function ownerIn({ column, decides }: Predicate, know: KeyKnowledge): number | null {
  if (column.expression !== null) return null;
  const owner = know.ownerOf(column);
  return owner !== null && decides.includes(owner) ? owner : null;
}

function valuesOf({ operator, operand }: Predicate): readonly Operand[] | null {
  if (operator === '=') return isSingle(operand) ? [operand] : null;
  if (operator !== 'in' && operator !== 'any') return null;
  if (operand.kind === 'parameterArray') return [operand];
  return operand.kind === 'list' && operand.items.every(isSingle) ? operand.items : null;
}

function isSingle({ kind }: Operand): boolean {
  return kind === 'parameter' || kind === 'constant';
}

/** The keys of the rows that a write can touch, before and after it. */
export function writtenKeys(write: TableWrite, pinned: ReadonlyMap<number, KeyValues>): KeyValues {
  if (write.reference === null) return NO_KEYS;
  return write.operations.includes('insert')
    ? insertedKeys(write)
    : changedKeys(write, pinned.get(write.reference) ?? NO_KEYS);
}

function insertedKeys({ assigned, conflictColumns, updatedColumns }: TableWrite): KeyValues {
  if (conflictColumns === null) return assigned;
  // The row that is updated instead agrees with the new one in the columns of the conflict only.
  return new Map(
    [...assigned].filter(([it]) => conflictColumns.includes(it) && !updatedColumns.includes(it)),
  );
}

function changedKeys({ assigned, updatedColumns }: TableWrite, pins: KeyValues): KeyValues {
  const keys = new Map<string, readonly Operand[]>();
  for (const [column, values] of pins) {
    const after = assigned.get(column);
    if (!updatedColumns.includes(column)) keys.set(column, values);
    else if (after !== undefined) keys.set(column, [...values, ...after]);
  }
  return keys;
}
