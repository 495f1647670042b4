import { agreement, pinnedByReference, writtenKeys, type KeyValues } from '../analysis/fixed-keys.js';
import { fitsKey } from '../analysis/key-value.js';
import { type Statement, type TableWrite } from '../analysis/statement.js';
import { columnOwner } from './column-owner.js';
import { type Effects } from './effects.js';
import { type TableKey } from './resolved-statement.js';
import { assignedByTriggers } from './row-triggers.js';
import { findRelation } from './search-path.js';
import { type CatalogueRelation, type CatalogueSnapshot } from './snapshot.js';

export interface ResolvedKeys {
  readonly readKeys: readonly TableKey[];
  readonly writeKeys: readonly TableKey[];
}

/** Keys per table, checked against columns, types, triggers and everything that reaches a table by another way. */
export function resolvedKeys(
  snapshot: CatalogueSnapshot,
  statement: Statement,
  searchPath: readonly string[],
  effects: Effects,
): ResolvedKeys {
  const relations = statement.references.map((it) => findRelation(snapshot, it.relation, searchPath));
  const ownerOf = columnOwner(statement, relations);
  const kindOf = (reference: number, column: string) =>
    relations[reference]?.columns.get(column)?.keyKind ?? null;
  const pinned = pinnedByReference(statement, { ownerOf, kindOf });
  const reads = new Uses(snapshot);
  for (const [index, { use, only }] of statement.references.entries()) {
    const relation = relations[index];
    if (use === 'read' && relation !== undefined) reads.add(relation, only, pinned.get(index) ?? new Map());
  }
  const writes = new Uses(snapshot);
  for (const it of statement.writes) {
    const relation = it.reference === null ? undefined : relations[it.reference];
    if (relation !== undefined)
      writes.add(relation, false, storedKeys(snapshot, relation, it, writtenKeys(it, pinned)));
  }
  return {
    readKeys: reads.keys(effects.reads, effects.readIndirectly),
    writeKeys: effects.unknownWriters.size > 0 ? [] : writes.keys(effects.writes, effects.writtenIndirectly),
  };
}

/** Who uses a table by name in the statement, and with which keys. */
class Uses {
  readonly #uses = new Map<number, KeyValues[]>();

  constructor(private readonly snapshot: CatalogueSnapshot) {}

  /** A pin on a parent holds for its children, which have the same columns. */
  add(relation: CatalogueRelation, only: boolean, keys: KeyValues): void {
    this.#uses.set(relation.oid, [...(this.#uses.get(relation.oid) ?? []), keys]);
    if (only) return;
    for (const it of this.snapshot.childrenOf(relation.oid)) {
      const child = this.snapshot.relation(it);
      if (child !== undefined) this.add(child, false, keys);
    }
  }

  keys(tables: ReadonlyMap<number, CatalogueRelation>, indirect: ReadonlySet<number>): readonly TableKey[] {
    const found: TableKey[] = [];
    for (const [oid, relation] of tables) {
      if (indirect.has(oid)) continue;
      for (const [column, values] of agreement(this.#uses.get(oid) ?? [])) {
        const kind = relation.columns.get(column)?.keyKind ?? null;
        if (kind === null || values.length === 0 || !values.every((it) => fitsKey(it, kind))) continue;
        found.push(Object.freeze({ table: oid, column, kind, values: Object.freeze([...values]) }));
      }
    }
    return Object.freeze(found);
  }
}

/** Without the columns that a trigger may change before the row is stored. */
function storedKeys(
  snapshot: CatalogueSnapshot,
  relation: CatalogueRelation,
  write: TableWrite,
  keys: KeyValues,
): KeyValues {
  if (write.operations.every((it) => it === 'delete')) return keys;
  const assigned = assignedByTriggers(snapshot, relation.oid);
  return new Map(assigned === null ? [] : [...keys].filter(([column]) => !assigned.has(column)));
}
