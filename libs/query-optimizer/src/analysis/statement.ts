import { type QuerySyntaxError } from '../query-optimizer.errors.js';
import {
  type ColumnUse,
  type GroupKey,
  type Operand,
  type Predicate,
  type SelectedColumn,
  type SortKey,
} from './predicate.js';
import { type RelationName } from './relation-name.js';

/** `unknown` is a text that the grammar of PostgreSQL 18 refuses: treat it as one that may write anything. */
export type StatementKind =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'copy from'
  | 'copy to'
  | 'call'
  | 'do'
  | 'ddl'
  | 'transaction'
  | 'set'
  | 'show'
  | 'discard'
  | 'listen'
  | 'unlisten'
  | 'notify'
  | 'explain'
  | 'prepare'
  | 'execute'
  | 'deallocate'
  | 'declare cursor'
  | 'fetch'
  | 'close'
  | 'vacuum'
  | 'lock'
  | 'refresh'
  | 'maintenance'
  | 'unknown';

/** One occurrence of a table in the text: an item of FROM, or the target of a write. CTE names are not tables. */
export interface TableReference {
  readonly relation: RelationName;
  /** The name that columns are qualified with. */
  readonly alias: string;
  readonly use: 'read' | 'write';
  /** Index into `Statement.blocks`. */
  readonly block: number;
  /** `ONLY t`: without the tables that inherit from it. */
  readonly only: boolean;
  /** On the side of an outer join whose rows may be missing. */
  readonly nullable: boolean;
  /** `t AS a(x, y)` gives the columns other names: predicates on them say nothing about the table's. */
  readonly renamesColumns: boolean;
}

export type WriteOperation = 'insert' | 'update' | 'delete' | 'truncate' | 'refresh' | 'ddl';

export interface TableWrite {
  readonly relation: RelationName;
  /** Index into `Statement.references`; null for what has no place there (TRUNCATE, DDL). */
  readonly reference: number | null;
  /** `insert … on conflict do update` and MERGE have several. */
  readonly operations: readonly WriteOperation[];
  /** `TRUNCATE … CASCADE`, `DROP … CASCADE`. */
  readonly cascade: boolean;
  readonly only: boolean;
  /** Columns given by INSERT or SET; null when the text does not name them. */
  readonly columns: readonly string[] | null;
  /**
   * For an INSERT of VALUES with a column list: the values that a column gets, over all rows. For UPDATE: what SET
   * assigns. A column with a value that is neither parameter nor constant is missing.
   */
  readonly assigned: ReadonlyMap<string, readonly Operand[]>;
  /** `on conflict (a, b) do update`: the plain columns of the arbiter; null without that clause. */
  readonly conflictColumns: readonly string[] | null;
  /** Columns that `do update set` or UPDATE's SET assigns. */
  readonly updatedColumns: readonly string[];
}

/** A SELECT, VALUES, or data-modifying statement with its own scope. */
export interface QueryBlock {
  readonly role: 'main' | 'set arm' | 'cte' | 'derived' | 'subquery';
  readonly parent: number | null;
  readonly isDistinct: boolean;
  readonly hasAggregates: boolean;
  readonly limit: Operand | null;
  readonly offset: Operand | null;
}

export interface FunctionCall {
  readonly name: RelationName;
  readonly argumentCount: number;
}

/** What one SQL text does. Frozen; one object per text while the analyser remembers it. */
export interface Statement {
  readonly text: string;
  readonly kind: StatementKind;
  /** What EXPLAIN, PREPARE, DECLARE or COPY (query) TO contains; null for every other kind. */
  readonly inner: StatementKind | null;
  /** EXPLAIN ANALYZE: the inner statement runs. False for plain EXPLAIN, whose writes are then not in `writes`. */
  readonly executesInner: boolean;
  readonly syntaxError: QuerySyntaxError | null;
  /** Distinct names, as written, in the order of the text. */
  readonly reads: readonly RelationName[];
  readonly writes: readonly TableWrite[];
  readonly references: readonly TableReference[];
  readonly blocks: readonly QueryBlock[];
  readonly functions: readonly FunctionCall[];
  /** Distinct operators, `schema.` only when written. */
  readonly operators: readonly string[];
  /** Distinct column and field names; `t.full_name` may be a function of the row. */
  readonly columnNames: readonly string[];
  /** `current_timestamp`, `current_user`, … in lower case. */
  readonly sqlValueFunctions: readonly string[];
  /** `FOR UPDATE`, `FOR SHARE` and so on, or LOCK TABLE. */
  readonly locksRows: boolean;
  /** TABLESAMPLE: the answer depends on chance or on the physical order. */
  readonly samplesRows: boolean;
  /** The statement may create or drop things of which only the session knows. */
  readonly usesTemporaryTables: boolean;
  /** The highest $n, 0 without parameters: what the protocol wants to be bound. */
  readonly parameterCount: number;
  /** Numbers below `parameterCount` that the text never uses. */
  readonly parameterGaps: readonly number[];
  readonly predicates: readonly Predicate[];
  readonly orderBy: readonly SortKey[];
  readonly groupBy: readonly GroupKey[];
  readonly selected: readonly SelectedColumn[];
  /** Every plain column used anywhere, for covering indexes. */
  readonly columns: readonly ColumnUse[];
  /** BEGIN, COMMIT, ROLLBACK, SAVEPOINT…: in lower case; null for other kinds. */
  readonly transaction: TransactionAction | null;
  /**
   * Groups texts that differ in constants, comments and layout only: 16 hex digits. Table names count as written,
   * schema included. A grouping key, never a cache key: PostgreSQL's own ignores LIMIT and the order of the select list.
   * Computed on first use.
   */
  readonly fingerprint: string;
  /** Constants as $n, no comments, single spaces, at most 4,096 characters. Computed on first use. */
  readonly normalisedText: string;
}

export type TransactionAction =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback to'
  | 'prepare'
  | 'commit prepared'
  | 'rollback prepared';
