/** Rows of the catalogue queries, as pg reads them. Oids are numbers. */
export interface RelationRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly relkind: string;
  readonly is_temporary: boolean;
  readonly has_row_security: boolean;
  /** Empty for system relations. */
  readonly columns: readonly {
    readonly name: string;
    readonly type: number;
    readonly deterministic: boolean;
  }[];
  /** Of a view, with qualified names. */
  readonly definition: string | null;
}

export interface InheritanceRow {
  readonly child: number;
  readonly parent: number;
}

export interface ForeignKeyRow {
  /** The table with the key. */
  readonly referencing: number;
  readonly referenced: number;
  /** a no action, r restrict, c cascade, n set null, d set default. */
  readonly on_delete: string;
  readonly on_update: string;
  readonly referencing_columns: readonly string[];
  readonly referenced_columns: readonly string[];
}

export interface TriggerRow {
  readonly relation: number;
  readonly name: string;
  readonly function: number;
  /** pg_trigger.tgtype. */
  readonly type: number;
}

export interface RuleRow {
  readonly relation: number;
  readonly name: string;
  /** 1 select, 2 update, 3 insert, 4 delete. */
  readonly event: string;
}

export interface ViewDependencyRow {
  readonly view: number;
  readonly relation: number;
}

export interface PolicyRow {
  readonly relation: number;
  readonly condition: string;
}

export interface FunctionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly min_arguments: number;
  /** Null for VARIADIC. */
  readonly max_arguments: number | null;
  /** i immutable, s stable, v volatile. */
  readonly volatility: string;
  readonly language: string;
  /** f function, p procedure, a aggregate, w window. */
  readonly prokind: string;
  readonly source: string;
  /** The whole CREATE FUNCTION, for plpgsql and for SQL-standard bodies. */
  readonly definition: string | null;
  readonly settings: readonly string[] | null;
  readonly extension: string | null;
  /** Table whose row the only argument is, 0 otherwise. */
  readonly row_of: number;
  /** Functions that an aggregate is made of. */
  readonly parts: readonly number[];
}

export interface BuiltinFunctionRow {
  readonly name: string;
  readonly argument_count: number;
  readonly is_variadic: boolean;
  readonly volatility: string;
}

export interface OperatorRow {
  readonly name: string;
  readonly function: number;
}

export interface CatalogueRows {
  readonly relations: readonly RelationRow[];
  readonly inheritance: readonly InheritanceRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
  readonly triggers: readonly TriggerRow[];
  readonly rules: readonly RuleRow[];
  readonly viewDependencies: readonly ViewDependencyRow[];
  readonly policies: readonly PolicyRow[];
  readonly functions: readonly FunctionRow[];
  readonly builtins: readonly BuiltinFunctionRow[];
  readonly operators: readonly OperatorRow[];
}
