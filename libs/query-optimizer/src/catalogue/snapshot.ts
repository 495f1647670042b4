import { type KeyKind } from '../analysis/key-value.js';
import {
  type CatalogueRows,
  type ForeignKeyRow,
  type FunctionRow,
  type RelationRow,
  type RuleRow,
  type TriggerRow,
} from './catalogue-rows.js';
import { type RelationKind, type ResolvedTable } from './resolved-statement.js';

export interface CatalogueColumn {
  readonly name: string;
  /** Null for a type whose equal values may be written in several ways. */
  readonly keyKind: KeyKind | null;
}

export interface CatalogueRelation extends ResolvedTable {
  readonly isSystem: boolean;
  readonly isTemporary: boolean;
  readonly hasRowSecurity: boolean;
  readonly columns: ReadonlyMap<string, CatalogueColumn>;
  readonly definition: string | null;
}

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
};

/** Type oids are fixed in PostgreSQL's own catalogue. */
const KEY_KINDS: ReadonlyMap<number, KeyKind> = new Map([
  [16, 'boolean'],
  [20, 'integer'],
  [21, 'integer'],
  [23, 'integer'],
  [25, 'text'],
  [1043, 'text'],
  [2950, 'uuid'],
]);

const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema']);

/** For whom, and by which names, the sessions of the application ask. */
export interface SessionNames {
  readonly role: string;
  /** In order, `$user` resolved. */
  readonly searchPath: readonly string[];
}

/** One state of the schema, indexed for look-ups. Never changes. */
export class CatalogueSnapshot {
  readonly #byOid = new Map<number, CatalogueRelation>();
  readonly #byName = new Map<string, CatalogueRelation>();
  readonly #temporary = new Map<string, CatalogueRelation>();
  readonly #functionsByName: ReadonlyMap<string, readonly FunctionRow[]>;
  readonly #functionsByOid: ReadonlyMap<number, FunctionRow>;
  readonly #functionsByRow: ReadonlyMap<string, readonly FunctionRow[]>;
  readonly #builtins: ReadonlyMap<string, CatalogueRows['builtins']>;
  readonly #children: ReadonlyMap<number, readonly number[]>;
  readonly #referencing: ReadonlyMap<number, readonly ForeignKeyRow[]>;
  readonly #triggers: ReadonlyMap<number, readonly TriggerRow[]>;
  readonly #rules: ReadonlyMap<number, readonly RuleRow[]>;
  readonly #viewTables: ReadonlyMap<number, readonly number[]>;
  readonly #policies: ReadonlyMap<number, readonly string[]>;
  readonly #operators: ReadonlyMap<string, readonly number[]>;

  constructor(
    rows: CatalogueRows,
    /** Counts the snapshots of one catalogue, from 1. */
    readonly version: number,
    /** What {@link SCHEMA_VERSION_QUERY} answered in the same transaction. */
    readonly schemaVersion: string,
    /** Of sessions that nobody has changed. */
    readonly session: SessionNames,
  ) {
    for (const it of rows.relations) this.#addRelation(relationOf(it));
    this.#functionsByName = grouped(rows.functions, (it) => it.name);
    this.#functionsByOid = new Map(rows.functions.map((it) => [it.oid, it]));
    this.#functionsByRow = grouped(
      rows.functions.filter((it) => it.row_of !== 0),
      (it) => it.name,
    );
    this.#builtins = grouped(rows.builtins, (it) => it.name);
    this.#children = listed(rows.inheritance, (it) => [it.parent, it.child]);
    this.#referencing = grouped(rows.foreignKeys, (it) => it.referenced);
    this.#triggers = grouped(rows.triggers, (it) => it.relation);
    this.#rules = grouped(rows.rules, (it) => it.relation);
    this.#viewTables = listed(rows.viewDependencies, (it) => [it.view, it.relation]);
    this.#policies = listed(rows.policies, (it) => [it.relation, it.condition]);
    this.#operators = listed(rows.operators, (it) => [it.name, it.function]);
  }

  relation(oid: number): CatalogueRelation | undefined {
    return this.#byOid.get(oid);
  }

  named(schema: string, name: string): CatalogueRelation | undefined {
    return this.#byName.get(qualified(schema, name));
  }

  /** A temporary table of that name in any session. */
  temporary(name: string): CatalogueRelation | undefined {
    return this.#temporary.get(name);
  }

  functionsNamed(name: string): readonly FunctionRow[] {
    return this.#functionsByName.get(name) ?? [];
  }

  /** Functions of one row, which `t.name` may mean. */
  functionsOfRowNamed(name: string): readonly FunctionRow[] {
    return this.#functionsByRow.get(name) ?? [];
  }

  function(oid: number): FunctionRow | undefined {
    return this.#functionsByOid.get(oid);
  }

  builtinsNamed(name: string): CatalogueRows['builtins'] {
    return this.#builtins.get(name) ?? [];
  }

  /** Functions behind the operators of that name which are not PostgreSQL's own. */
  operatorFunctions(name: string): readonly number[] {
    return this.#operators.get(name) ?? [];
  }

  childrenOf(oid: number): readonly number[] {
    return this.#children.get(oid) ?? [];
  }

  foreignKeysTo(oid: number): readonly ForeignKeyRow[] {
    return this.#referencing.get(oid) ?? [];
  }

  triggersOf(oid: number): readonly TriggerRow[] {
    return this.#triggers.get(oid) ?? [];
  }

  rulesOf(oid: number): readonly RuleRow[] {
    return this.#rules.get(oid) ?? [];
  }

  tablesOfView(oid: number): readonly number[] {
    return this.#viewTables.get(oid) ?? [];
  }

  policiesOf(oid: number): readonly string[] {
    return this.#policies.get(oid) ?? [];
  }

  #addRelation(relation: CatalogueRelation): void {
    this.#byOid.set(relation.oid, relation);
    this.#byName.set(qualified(relation.schema, relation.name), relation);
    if (relation.isTemporary) this.#temporary.set(relation.name, relation);
  }
}

function relationOf(row: RelationRow): CatalogueRelation {
  const columns = row.columns.map(({ name, type, deterministic }): [string, CatalogueColumn] => [
    name,
    { name, keyKind: deterministic ? (KEY_KINDS.get(type) ?? null) : null },
  ]);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: KINDS[row.relkind] ?? 'other',
    isSystem: SYSTEM_SCHEMAS.has(row.schema),
    isTemporary: row.is_temporary,
    hasRowSecurity: row.has_row_security,
    columns: new Map(columns),
    definition: row.definition,
  };
}

function qualified(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

function grouped<K, V>(rows: readonly V[], key: (row: V) => K): ReadonlyMap<K, readonly V[]> {
  return Map.groupBy(rows, key);
}

function listed<R, K, V>(
  rows: readonly R[],
  pair: (row: R) => readonly [K, V],
): ReadonlyMap<K, readonly V[]> {
  const found = new Map<K, V[]>();
  for (const [key, value] of rows.map(pair)) found.set(key, [...(found.get(key) ?? []), value]);
  return found;
}
