import { createHash } from 'node:crypto';

import { formatRelationName } from '../analysis/relation-name.js';
import { type IndexMethod } from './advice.js';
import { type TableFacts } from './table-facts.js';

export interface IndexKey {
  /** Column or expression as SQL, without qualifiers. */
  readonly sql: string;
  readonly columns: readonly string[];
  readonly isExpression: boolean;
  /** Class of operators where it is not the default one. */
  readonly operatorClass: string | null;
  readonly direction: 'asc' | 'desc';
  /** Null for the default of the direction. */
  readonly nulls: 'first' | 'last' | null;
}

/** An index that might help. */
export interface Candidate {
  /** Where it would be made: never a partition, but its topmost parent. */
  readonly table: TableFacts;
  readonly method: IndexMethod;
  readonly keys: readonly IndexKey[];
  /** Plain columns. */
  readonly included: readonly string[];
  /** SQL condition of a partial index, without qualifiers. */
  readonly predicate: string | null;
  readonly predicateColumns: readonly string[];
  /** The extension that its class of operators comes from. */
  readonly extension: string | null;
  /** What makes two candidates the same: {@link definitionOf} with the table. */
  readonly id: string;
}

export function candidateOf(parts: Omit<Candidate, 'id'>): Candidate {
  const text = `${formatRelationName(parts.table)} ${definitionOf(parts)}`;
  return { ...parts, id: createHash('sha256').update(text).digest('hex').slice(0, 12) };
}

/** What stands behind the table's name in CREATE INDEX. */
export function definitionOf(
  { method, keys, included, predicate }: Pick<Candidate, 'method' | 'keys' | 'included' | 'predicate'>,
  storage = '',
): string {
  const include = included.length === 0 ? '' : ` INCLUDE (${included.map(quoteIdentifier).join(', ')})`;
  const where = predicate === null ? '' : ` WHERE (${predicate})`;
  return `USING ${method} (${keys.map(keyText).join(', ')})${include}${storage}${where}`;
}

/**
 * `CREATE INDEX` on any table, such as a copy of the candidate's.
 *
 * @param storage such as ` WITH (fillfactor = 50)`
 */
export function createIndexOn(
  relation: string,
  candidate: Candidate,
  name: string | null = null,
  storage = '',
): string {
  const named = name === null ? '' : `${quoteIdentifier(name)} `;
  return `CREATE INDEX ${named}ON ${relation} ${definitionOf(candidate, storage)}`;
}

/** As a person would write it, for reasons and rejections. */
export function describeCandidate(candidate: Candidate): string {
  return `${formatRelationName(candidate.table)} ${definitionOf(candidate)}`;
}

/** With operator class and order. */
export function keyText(key: IndexKey): string {
  const nulls = key.nulls === null ? '' : ` NULLS ${key.nulls.toUpperCase()}`;
  const operatorClass = key.operatorClass === null ? '' : ` ${key.operatorClass}`;
  const sql = key.isExpression ? `(${key.sql})` : key.sql;
  return `${sql}${operatorClass}${key.direction === 'desc' ? ' DESC' : ''}${nulls}`;
}

/** Key as {@link ExistingIndex.keys} has it. */
export function catalogueKeyText({ sql, operatorClass, direction, nulls }: IndexKey): string {
  const suffix = direction === 'desc' ? ' DESC' : '';
  return `${sql}${operatorClass === null ? '' : ` ${operatorClass}`}${suffix}${nulls === null ? '' : ` NULLS ${nulls.toUpperCase()}`}`;
}

export function quoteIdentifier(name: string): string {
  return formatRelationName({ schema: null, name });
}

const MAX_IDENTIFIER_BYTES = 63;

/** `orders_customer_id_created_at_1f2e3d_idx`: speaks, fits into 63 bytes, and is the same for the same index. */
export function indexNameOf(candidate: Candidate): string {
  const columns = candidate.keys.flatMap((it) => it.columns);
  const words = [candidate.table.name, ...new Set(columns)].join('_').replace(/[^\p{L}\p{N}_]/gu, '_');
  return shortName(words, `_${candidate.id.slice(0, 6)}_idx`);
}

/** As PostgreSQL does with names of its own: what is too long loses the end of its beginning. */
export function shortName(beginning: string, ending: string): string {
  let start = beginning;
  while (Buffer.byteLength(start + ending) > MAX_IDENTIFIER_BYTES) start = [...start].slice(0, -1).join('');
  return `${start}${ending}`;
}
