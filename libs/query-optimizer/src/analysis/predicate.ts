/** What a column is compared with. */
export type Operand =
  | { readonly kind: 'parameter'; readonly number: number; readonly castTo: string | null }
  | ConstantOperand
  /** `= ANY($1)`: the parameter is an array of values. */
  | { readonly kind: 'parameterArray'; readonly number: number; readonly castTo: string | null }
  /** `IN (…)`, `BETWEEN a AND b`, `= ANY(ARRAY[…])`. */
  | { readonly kind: 'list'; readonly items: readonly Operand[] }
  | { readonly kind: 'column'; readonly column: ColumnUse }
  /** `IN (SELECT …)`, `= (SELECT …)`. */
  | { readonly kind: 'subquery' }
  /** Anything else; `text` is SQL where it is simple enough to be written again. */
  | { readonly kind: 'expression'; readonly text: string | null }
  /** Tests without an operand: `is null`. */
  | { readonly kind: 'none' };

export interface ConstantOperand {
  readonly kind: 'constant';
  /** Numbers stay text, so that nothing is rounded; SQL NULL is null. */
  readonly value: string | boolean | null;
  readonly type: 'integer' | 'decimal' | 'text' | 'boolean' | 'bits' | 'null';
  /** Type name of an explicit cast, `schema.` only when written; null without one. With a length (`varchar(3)`) it is `?`. */
  readonly castTo: string | null;
}

/** The tables that an unqualified column may belong to, innermost query first. */
export interface ColumnScope {
  /** Indices into `Statement.references`. */
  readonly references: readonly number[];
  /** The same level also holds subqueries, functions or CTEs, whose columns are not known. */
  readonly opaque: boolean;
}

/** A column as used at one place. */
export interface ColumnUse {
  readonly name: string;
  /** Index into `Statement.references` when the text alone decides it, else null: see `scopes`. */
  readonly reference: number | null;
  /** Empty when `reference` is known, or when the column belongs to no table (a subquery's column). */
  readonly scopes: readonly ColumnScope[];
  /** For `lower(email)` and `payload ->> 'id'`: the SQL without table qualifiers. Null for the plain column. */
  readonly expression: string | null;
}

/**
 * One comparison of a column. `operator` is the operator's text in lower case (`=`, `<`, `@>`, `->>` stays inside
 * `column.expression`), or one of: `in`, `not in`, `any`, `not any`, `all`, `between`, `not between`, `like`, `not like`, `ilike`, `not ilike`, `similar`,
 * `not similar`, `is null`, `is not null`, `is distinct`, `is not distinct`, `is true`, `is not true`, `is false`, `is not false`, `is unknown`, `is not unknown`.
 * Ranges written the other way round (`5 < age`) are turned.
 */
export interface Predicate {
  /** Index into `Statement.blocks`. */
  readonly block: number;
  readonly clause: 'where' | 'on' | 'using' | 'having' | 'arbiter';
  readonly column: ColumnUse;
  readonly operator: string;
  readonly operand: Operand;
  /**
   * The tables (`Statement.references`) of which only rows that satisfy the predicate can influence the result of the
   * block. Contains the column's own table when the predicate is an AND-ed condition of WHERE or of a join that drops
   * such rows; empty under OR and NOT, for the preserved side of an outer join, and in HAVING.
   */
  readonly decides: readonly number[];
  /** `decides` is not empty and the block is the statement itself: it holds for every row of the result. */
  readonly required: boolean;
}

export interface SortKey {
  readonly block: number;
  /** Null for an expression or an ordinal that does not lead to a column. */
  readonly column: ColumnUse | null;
  readonly text: string | null;
  readonly direction: 'asc' | 'desc';
  /** Null when not written: PostgreSQL puts nulls last for `asc` and first for `desc`. */
  readonly nulls: 'first' | 'last' | null;
}

export interface GroupKey {
  readonly block: number;
  readonly column: ColumnUse | null;
  readonly text: string | null;
}

/** Which columns a block returns. `column` null and `star` true is `*` or `alias.*`. */
export interface SelectedColumn {
  readonly block: number;
  readonly column: ColumnUse | null;
  readonly star: boolean;
  /** The table of `alias.*`, null for a bare `*`. */
  readonly starReference: number | null;
}
