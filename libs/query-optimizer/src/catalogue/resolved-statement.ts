import { type KeyKind } from '../analysis/key-value.js';
import { type Operand } from '../analysis/predicate.js';
import { type SessionChange } from '../analysis/session-change.js';
import { type Statement } from '../analysis/statement.js';

/** pg_class.relkind in words. */
export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'other';

/** A relation as the catalogue knows it. Compare by `oid`. */
export interface ResolvedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
}

/** One column that a statement pins: only rows with one of `values` are read, or written, in that table. */
export interface TableKey {
  readonly table: number;
  readonly column: string;
  readonly kind: KeyKind;
  /** Parameters (also arrays) and constants; at least one. */
  readonly values: readonly Operand[];
}

export type UncacheableCode =
  | 'NOT_A_SELECT'
  | 'UNKNOWN_SYNTAX'
  | 'UNKNOWN_RELATION'
  | 'UNKNOWN_FUNCTION'
  | 'LOCKS_ROWS'
  | 'SAMPLES_ROWS'
  | 'WRITES'
  | 'UNKNOWN_READS'
  | 'VOLATILE_FUNCTION'
  | 'TIME_DEPENDENT'
  | 'SESSION_DEPENDENT'
  | 'SYSTEM_CATALOG'
  | 'FOREIGN_TABLE'
  | 'TEMPORARY_TABLE'
  | 'SEQUENCE';

export interface UncacheableReason {
  readonly code: UncacheableCode;
  /** One sentence for a person. */
  readonly message: string;
}

/** What a statement means for one state of the schema and one search path. Frozen. */
export interface ResolvedStatement {
  readonly statement: Statement;
  /** The catalogue's version that it was resolved against. */
  readonly catalogueVersion: number;
  /** Base tables, also through views, functions, policies; children of a parent table included. Sorted by oid. */
  readonly reads: readonly ResolvedTable[];
  /** Base tables, also by foreign-key cascades, triggers and functions that were understood; children included. */
  readonly writes: readonly ResolvedTable[];
  /** It may write tables that are not in `writes`: every cached result is in doubt. */
  readonly unknownWrites: boolean;
  /** Why `unknownWrites`: functions, triggers, rules by name. */
  readonly unknownWriters: readonly string[];
  readonly isCacheable: boolean;
  /** Empty when cacheable. A caller may overrule `TIME_DEPENDENT`, since a time to live bounds it; none of the others. */
  readonly uncacheable: readonly UncacheableReason[];
  /** It calls something that gives another answer for the same data. */
  readonly isVolatile: boolean;
  /** A table read has row-level security: role (and what the policies ask for) belongs to the key. */
  readonly readsRowSecurity: boolean;
  /** What it may leave behind in its session, also by a function or a trigger. */
  readonly sessionChange: SessionChange;
  /** Row-precise invalidation; a table without an entry is read, or written, at any row. */
  readonly readKeys: readonly TableKey[];
  readonly writeKeys: readonly TableKey[];
  /** Like `Statement.fingerprint`, with the tables' real schemas. */
  readonly fingerprint: string;
}
