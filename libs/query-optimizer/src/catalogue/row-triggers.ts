import { bodyOf } from './function-walk.js';
import { type CatalogueSnapshot } from './snapshot.js';
import { changesRow } from './trigger-type.js';

/** Columns that BEFORE ROW triggers of the table and of its children may give other values; null when it may be any. */
export function assignedByTriggers(snapshot: CatalogueSnapshot, table: number): ReadonlySet<string> | null {
  const all = new Set<string>();
  for (const it of [table, ...descendants(snapshot, table)]) {
    for (const { type, function: oid } of snapshot.triggersOf(it)) {
      if (!changesRow(type)) continue;
      const row = snapshot.function(oid);
      const assigned = row === undefined ? null : (bodyOf(row)?.assignedToNew ?? null);
      if (assigned === null) return null;
      for (const column of assigned) all.add(column);
    }
  }
  return all;
}

function descendants(snapshot: CatalogueSnapshot, oid: number): number[] {
  return snapshot.childrenOf(oid).flatMap((it) => [it, ...descendants(snapshot, it)]);
}
