import { type Ask } from '../execution/own-statements.js';
import { type IndexRow } from './index-rows.js';

export interface ForeignKeyRow {
  readonly name: string;
  readonly tableOid: number;
  readonly schema: string;
  readonly table: string;
  readonly isPartitioned: boolean;
  readonly referenced: string;
  readonly columns: readonly string[];
  /** Bytes of the columns in an average row; null without statistics. */
  readonly widthBytes: number | null;
  readonly rows: number;
  readonly inserts: number;
  readonly updates: number;
  readonly hotUpdates: number;
}

/** Those that partitions have from their parents are left out. @param $1 tables to leave out */
const FOREIGN_KEYS = `
  SELECT f.conname AS name, t.oid AS "tableOid", n.nspname AS schema, t.relname AS "table",
         t.relkind = 'p' AS "isPartitioned", format('%I.%I', rn.nspname, r.relname) AS referenced,
         (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) AS columns,
         (SELECT sum(s.avg_width)::float8 FROM unnest(f.conkey) k(attnum)
          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
          JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname
            AND s.inherited = (t.relkind = 'p')) AS "widthBytes",
         greatest(t.reltuples, 0)::float8 AS rows, pg_stat_get_tuples_inserted(t.oid)::float8 AS inserts,
         pg_stat_get_tuples_updated(t.oid)::float8 AS updates, pg_stat_get_tuples_hot_updated(t.oid)::float8 AS "hotUpdates"
  FROM pg_constraint f
  JOIN pg_class t ON t.oid = f.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_class r ON r.oid = f.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
  WHERE f.contype = 'f' AND f.conparentid = 0 AND t.oid <> ALL ($1::oid[])
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')`;

/** @param locked oids of tables that are left out @throws the driver's error */
export function readForeignKeys(ask: Ask, locked: readonly number[]): Promise<readonly ForeignKeyRow[]> {
  return ask<ForeignKeyRow>(FOREIGN_KEYS, [locked]);
}

/** A foreign key finds its rows by an index that begins with its columns, in whatever order. */
export function serves(index: IndexRow, { tableOid, columns }: ForeignKeyRow): boolean {
  if (index.tableOid !== tableOid || !index.isValid) return false;
  if (index.method !== 'btree' && !(index.method === 'hash' && columns.length === 1)) return false;
  if (!allowsPredicate(index.predicate, columns)) return false;
  const leading = new Set(index.keys.slice(0, columns.length).map((it) => it.column));
  return columns.every((it) => leading.has(it));
}

/** Rows without a reference are looked for by nobody. */
function allowsPredicate(predicate: string | null, columns: readonly string[]): boolean {
  return predicate === null || columns.some((it) => predicate === `(${it} IS NOT NULL)`);
}
