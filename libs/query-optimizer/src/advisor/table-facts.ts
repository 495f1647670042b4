import { type AdvisorSession } from './advisor-session.js';
import { TABLE_FACTS_QUERY } from './table-facts-query.js';

/** A column with what ANALYZE knows of it. */
export interface ColumnFacts {
  readonly name: string;
  /** As `format_type` writes it, for casts. */
  readonly type: string;
  /** Name of the type in pg_type, of a domain the one below. */
  readonly baseType: string;
  /** pg_type.typcategory of the base type: S string, D date, N number, B boolean, A array, E enum, U user-defined. */
  readonly category: string;
  readonly isNotNull: boolean;
  /** The type has a default class of operators for b-trees. */
  readonly isSortable: boolean;
  readonly averageBytes: number;
  /** Estimated number of different values. */
  readonly distinctCount: number;
  readonly nullFraction: number;
  /** Between the order of values and of rows, -1 to 1; null when not known. */
  readonly correlation: number | null;
  /** Most common value and its share, as text; null when not known or not readable. */
  readonly commonValue: string | null;
  readonly commonFraction: number;
  /** Middle of the histogram, which is without the common values, as text; null when not known. */
  readonly median: string | null;
}

export interface ExistingIndex {
  readonly name: string;
  readonly method: string;
  /** Keys as pg_get_indexdef writes them, in order; with ` DESC`, ` NULLS FIRST` and so on where it is not the default. */
  readonly keys: readonly string[];
  readonly included: readonly string[];
  /** As pg_get_expr writes it. */
  readonly predicate: string | null;
  readonly isUnique: boolean;
  readonly isValid: boolean;
  readonly sizeBytes: number;
}

export interface TableFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r table, p partitioned table, m materialized view. */
  readonly kind: string;
  readonly rowCount: number;
  readonly pageCount: number;
  readonly sizeBytes: number;
  /** Partition of this table; null for others, also for those that inherit without being a partition. */
  readonly partitionOf: number | null;
  /** Oids of all that it inherits from, as a partition or otherwise. */
  readonly parents: readonly number[];
  /** PARTITION BY of a partitioned table. */
  readonly partitionKey: string | null;
  /** FOR VALUES of a partition. */
  readonly partitionBound: string | null;
  /** Share of the pages that are all visible, which scans of an index alone depend on. */
  readonly visibleFraction: number;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly indexes: readonly ExistingIndex[];
  readonly hasHotUpdates: boolean;
}

interface FactsRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly row_count: number;
  readonly page_count: number;
  readonly size_bytes: string;
  readonly partition_of: number | null;
  readonly parents: readonly number[];
  readonly visible_fraction: number;
  readonly partition_key: string | null;
  readonly partition_bound: string | null;
  readonly hot_updates: string;
  readonly columns: readonly ColumnRow[];
  readonly indexes: readonly ExistingIndex[];
}

interface ColumnRow extends Omit<ColumnFacts, 'distinctCount'> {
  readonly distinct: number | null;
}

/** The tables of a workload, found by name or oid. */
export class TableCatalogue {
  readonly #byName: ReadonlyMap<string, TableFacts>;
  readonly #byOid: ReadonlyMap<number, TableFacts>;

  constructor(tables: readonly TableFacts[]) {
    this.#byName = new Map(tables.map((it) => [nameKey(it.schema, it.name), it]));
    this.#byOid = new Map(tables.map((it) => [it.oid, it]));
  }

  named(schema: string, name: string): TableFacts | undefined {
    return this.#byName.get(nameKey(schema, name));
  }

  get all(): readonly TableFacts[] {
    return [...this.#byOid.values()];
  }

  byOid(oid: number): TableFacts | undefined {
    return this.#byOid.get(oid);
  }

  /** The table that an index has to be made on for a scan of `table` to use it: of a partition, its topmost parent. */
  indexOwner(table: TableFacts): TableFacts {
    let owner = table;
    for (let up: number | null = table.partitionOf; up !== null; up = owner.partitionOf) {
      const parent = this.#byOid.get(up);
      if (parent === undefined) return owner;
      owner = parent;
    }
    return owner;
  }

  /** The tables with rows that an index on `table` consists of: its leaf partitions, else itself. */
  leavesOf(table: TableFacts): readonly TableFacts[] {
    if (table.kind !== 'p') return [table];
    return this.all.filter((it) => it.partitionOf === table.oid).flatMap((it) => this.leavesOf(it));
  }
}

const nameKey = (schema: string, name: string): string => `${schema}\0${name}`;

/**
 * What the catalogue and ANALYZE know of these tables and of all that they are partitions of, or that are partitions of them.
 * One query.
 */
export async function readTableFacts(
  session: AdvisorSession,
  names: readonly { readonly schema: string; readonly name: string }[],
): Promise<TableCatalogue> {
  const distinct = [...new Map(names.map((it) => [nameKey(it.schema, it.name), it])).values()];
  const rows = await session.rows<FactsRow>(TABLE_FACTS_QUERY, [
    distinct.map((it) => it.schema),
    distinct.map((it) => it.name),
  ]);
  return new TableCatalogue(rows.map(factsOf));
}

function factsOf(row: FactsRow): TableFacts {
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    rowCount: row.row_count,
    pageCount: row.page_count,
    sizeBytes: Number(row.size_bytes),
    partitionOf: row.partition_of,
    parents: row.parents,
    visibleFraction: row.visible_fraction,
    partitionKey: row.partition_key,
    partitionBound: row.partition_bound,
    hasHotUpdates: Number(row.hot_updates) > 0,
    columns: new Map(row.columns.map((it) => [it.name, columnOf(it, row.row_count)])),
    indexes: row.indexes,
  };
}

function columnOf(row: ColumnRow, rowCount: number): ColumnFacts {
  const { distinct, ...rest } = row;
  return { ...rest, distinctCount: distinctCountOf(distinct, rowCount) };
}

/** pg_stats.n_distinct: negative is a share of the rows. Without statistics PostgreSQL assumes 200. */
function distinctCountOf(distinct: number | null, rowCount: number): number {
  if (distinct === null || distinct === 0) return Math.max(1, Math.min(200, rowCount));
  return Math.max(1, distinct < 0 ? -distinct * rowCount : distinct);
}
