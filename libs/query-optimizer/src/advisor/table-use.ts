import { type TableFacts } from './table-facts.js';

/** What an index can have as a key: a column or an expression over columns of one table. */
export interface KeyExpression {
  /** As SQL without qualifiers; an expression is not in parentheses of its own. */
  readonly sql: string;
  readonly columns: readonly string[];
  readonly isExpression: boolean;
}

/** `key <operator> something`, as one place of a plan asks of one table. */
export interface Comparison {
  readonly key: KeyExpression;
  /** As PostgreSQL writes it: `=`, `>=`, `~~` for LIKE; `= any`; or `is null`, `is not null`, `is true`, `is false`. */
  readonly operator: string;
  /** Names in the plan of the tables that the other side takes its value from; empty for a constant. */
  readonly partners: readonly string[];
  /** Text of the other side where it is a constant. */
  readonly constant: string | null;
  /** One arm of an OR. */
  readonly isAlternative: boolean;
}

export interface OrderKey {
  readonly key: KeyExpression;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last' | null;
}

/** What one statement wants of one occurrence of one table. */
export interface TableUse {
  readonly alias: string;
  readonly table: TableFacts;
  readonly comparisons: readonly Comparison[];
  /** ORDER BY, GROUP BY and merge orders that begin with this table: each as far as its columns go. */
  readonly orders: readonly (readonly OrderKey[])[];
  /** Columns that are read, however; null for all, as in `SELECT *`. */
  readonly neededColumns: ReadonlySet<string> | null;
}
