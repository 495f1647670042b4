import { type Node, type RangeVar } from 'libpg-query';

import { parseOne } from '../analysis/parser.js';
import { isBranch } from '../analysis/tree.js';
import { QuerySyntaxError } from '../query-optimizer.errors.js';
import { quoteIdentifier } from './candidate.js';
import { edited, tokensOf } from './text-edits.js';

/** A name as it stands in a text. */
export interface NamedRelation {
  readonly schema: string | null;
  readonly name: string;
}

/** Names of tables and views in the text, without those of its own WITH. */
export function namedRelations(text: string): readonly NamedRelation[] {
  return rangesOf(text).map(({ schemaname, relname }) => ({
    schema: schemaname ?? null,
    name: relname ?? '',
  }));
}

/**
 * The text with other tables in the place of its own. What has no alias gets its old name as one, so that all columns are
 * found as before.
 *
 * @param replacement the new name, quoted as needed; null to leave a table as it is
 */
export function withRelations(text: string, replacement: (it: NamedRelation) => string | null): string {
  const tokens = tokensOf(text);
  const edits = rangesOf(text).flatMap((it) => {
    const name = replacement({ schema: it.schemaname ?? null, name: it.relname ?? '' });
    const first = tokens.findIndex((token) => token.start === (it.location ?? 0));
    const last = first + (it.catalogname === undefined ? 0 : 2) + (it.schemaname === undefined ? 0 : 2);
    const [start, end] = [tokens[first]?.start, tokens[last]?.end];
    if (name === null || start === undefined || end === undefined) return [];
    const alias = it.alias === undefined ? ` AS ${quoteIdentifier(it.relname ?? '')}` : '';
    return [{ start, end, text: `${name}${alias}` }];
  });
  return edited(text, edits);
}

function rangesOf(text: string): RangeVar[] {
  const tree = parseOne(text);
  if (tree instanceof QuerySyntaxError) return [];
  const ctes = new Set<string>();
  const ranges = rangesBelow(tree, ctes);
  return ranges.filter((it) => it.schemaname !== undefined || !ctes.has(it.relname ?? ''));
}

function rangesBelow(value: unknown, ctes: Set<string>, found: RangeVar[] = []): RangeVar[] {
  if (Array.isArray(value)) for (const it of value) rangesBelow(it, ctes, found);
  else if (isBranch(value)) {
    if (typeof value.relname === 'string' && typeof value.relpersistence === 'string') found.push(value);
    if (typeof value.ctename === 'string') ctes.add(value.ctename);
    for (const it of Object.values(value as Readonly<Record<string, Node>>)) rangesBelow(it, ctes, found);
  }
  return found;
}
