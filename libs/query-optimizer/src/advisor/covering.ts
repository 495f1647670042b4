import { catalogueKeyText, type Candidate } from './candidate.js';
import { type ExistingIndex, type TableFacts } from './table-facts.js';

/**
 * Why no new index is needed, or null. A hypothetical index looks cheaper to the planner than the real one that does the same,
 * so this has to be decided here.
 */
export function coveredBy(candidate: Candidate, leaves: readonly TableFacts[]): string | null {
  const reasons = leaves.map((leaf) => {
    for (const it of leaf.indexes) {
      const reason = coverage(candidate, it);
      if (reason !== null) return reason;
    }
    return null;
  });
  // Of a partitioned table every partition must have it.
  return reasons.length === 0 || reasons.includes(null) ? null : (reasons[0] ?? null);
}

function coverage(candidate: Candidate, existing: ExistingIndex): string | null {
  if (!existing.isValid || existing.method !== candidate.method) return null;
  const isSamePredicate = normalised(existing.predicate) === normalised(candidate.predicate);
  if (existing.predicate !== null && !isSamePredicate) return null;
  const keys = candidate.keys.map(catalogueKeyText);
  const held = new Set([...existing.keys, ...existing.included]);
  const holdsAll = candidate.included.every(
    (it) => held.has(it) || held.has(`"${it.replaceAll('"', '""')}"`),
  );
  if (holdsAll && isPrefix(keys, existing.keys) && (isSamePredicate || candidate.predicate === null))
    return `The index ${existing.name} begins with the same columns.`;
  if (
    existing.isUnique &&
    existing.predicate === null &&
    candidate.included.length === 0 &&
    keys.length > existing.keys.length &&
    isPrefix(existing.keys, keys)
  )
    return `The unique index ${existing.name} already finds the single row.`;
  return null;
}

/** Also when every key runs the other way: a b-tree is read from both ends. */
function isPrefix(keys: readonly string[], of: readonly string[]): boolean {
  const matches = (texts: readonly string[]) => texts.every((it, i) => it === of[i]);
  return keys.length <= of.length && (matches(keys) || matches(keys.map(reversed)));
}

function reversed(key: string): string {
  if (key.endsWith(' DESC NULLS LAST')) return `${key.slice(0, -16)} NULLS FIRST`;
  if (key.endsWith(' NULLS FIRST')) return `${key.slice(0, -12)} DESC NULLS LAST`;
  return key.endsWith(' DESC') ? key.slice(0, -5) : `${key} DESC`;
}

function normalised(predicate: string | null): string | null {
  return predicate === null ? null : predicate.replaceAll(/[()\s]/g, '').toLowerCase();
}
