import { type IndexKey, type IndexRow } from './index-rows.js';

export interface Redundancy {
  readonly index: IndexRow;
  readonly coveredBy: IndexRow;
  readonly kind: 'duplicate' | 'overlapping';
}

/** Bits of a key's option: an index is read backwards as well as forwards. */
const REVERSED = 3;

/** Indexes whose work another one does, each with one that stays. Pure. */
export function findRedundant(indexes: readonly IndexRow[]): Redundancy[] {
  const found: Redundancy[] = [];
  for (const ofTable of Map.groupBy(indexes, (it) => it.tableOid).values()) {
    const dropped = new Set<IndexRow>();
    // The weakest first, so that of equal ones the strongest stays.
    for (const index of ofTable.toSorted((a, b) => strength(a) - strength(b) || b.oid - a.oid)) {
      const coveredBy = ofTable.find((it) => it !== index && !dropped.has(it) && covers(it, index));
      if (!coveredBy || !isDroppable(index)) continue;
      dropped.add(index);
      found.push({ index, coveredBy, kind: hasSameColumns(index, coveredBy) ? 'duplicate' : 'overlapping' });
    }
  }
  return found;
}

function isDroppable(index: IndexRow): boolean {
  const isNeeded = index.isPrimary || index.isExclusion || index.isReplicaIdentity || index.isReferenced;
  return index.isValid && !isNeeded && !index.isAttached;
}

/** Wider ones do the work of narrower ones; constraints do more than indexes; used ones are wanted. */
function strength({ keys, included, isPrimary, isUnique, constraint, scans }: IndexRow): number {
  const rank = Number(isPrimary) * 4 + Number(constraint !== null) * 2 + Number(isUnique);
  return (keys.length + included.length) * 1e6 + rank * 1e5 + Math.min(scans, 99_999);
}

function covers(wide: IndexRow, index: IndexRow): boolean {
  if (!wide.isValid || wide.method !== index.method || wide.predicate !== index.predicate) return false;
  if (!isPrefix(index.keys, wide.keys) || !includesAll(wide, index)) return false;
  const isEqual = index.keys.length === wide.keys.length;
  if (index.isUnique) return isEqual && isAsUnique(wide, index);
  return isEqual || index.method === 'btree';
}

function isAsUnique(wide: IndexRow, index: IndexRow): boolean {
  const isSameConstraint = wide.isDeferrable === index.isDeferrable || index.constraint === null;
  return wide.isUnique && wide.nullsNotDistinct === index.nullsNotDistinct && isSameConstraint;
}

function isPrefix(keys: readonly IndexKey[], of: readonly IndexKey[]): boolean {
  if (keys.length > of.length) return false;
  const inDirection = (flip: number) =>
    keys.every((key, at) => {
      const other = of[at];
      const isSame =
        other?.text === key.text && other.opclass === key.opclass && other.collation === key.collation;
      return isSame && other.option === (key.option ^ flip);
    });
  return inDirection(0) || inDirection(REVERSED);
}

function includesAll({ keys, included }: IndexRow, index: IndexRow): boolean {
  const has = new Set([...included, ...keys.map((it) => it.text)]);
  return index.included.every((it) => has.has(it));
}

function hasSameColumns(a: IndexRow, b: IndexRow): boolean {
  return a.keys.length === b.keys.length && a.included.length === b.included.length;
}
