import { type Node, type RangeVar } from 'libpg-query';

import { type RelationName } from './relation-name.js';

/** A node of the parse tree without its type: for walks that must reach every corner. */
export type Branch = Readonly<Record<string, unknown>>;

export function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a String node, as in `funcname` and `fields`; null for anything else. */
export function stringOf(node: Node | undefined): string | null {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : null;
}

export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((it) => stringOf(it) ?? []);
}

/** The last two parts of a dotted name; a database name before them is dropped. */
export function nameOf(parts: readonly string[]): RelationName {
  return { schema: parts.at(-2) ?? null, name: parts.at(-1) ?? '' };
}

export function relationOf(range: RangeVar): RelationName {
  return { schema: range.schemaname ?? null, name: range.relname ?? '' };
}

/** Every RangeVar below, in the order of the tree: for utility statements, where all of them are tables. */
export function rangesBelow(value: unknown, found: RangeVar[] = []): RangeVar[] {
  if (Array.isArray(value)) for (const it of value) rangesBelow(it, found);
  else if (isBranch(value)) {
    if (typeof value.relname === 'string' && typeof value.relpersistence === 'string') found.push(value);
    for (const it of Object.values(value)) rangesBelow(it, found);
  }
  return found;
}
