import { type Ask } from '../execution/own-statements.js';

/** One key of an index. Two are the same when all of it is. */
export interface IndexKey {
  /** Column or expression as SQL. */
  readonly text: string;
  /** Null for an expression. */
  readonly column: string | null;
  readonly opclass: number;
  readonly collation: number;
  /** Of a B-tree: 1 is DESC, 2 is NULLS FIRST. */
  readonly option: number;
}

export interface IndexRow {
  readonly oid: number;
  readonly tableOid: number;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly method: string;
  readonly isPartitioned: boolean;
  /** A part of the index of a partitioned table: it cannot be dropped by itself. */
  readonly isAttached: boolean;
  readonly isUnique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly isPrimary: boolean;
  readonly isExclusion: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isValid: boolean;
  /** Somebody builds it now. */
  readonly isBeingBuilt: boolean;
  readonly constraint: string | null;
  readonly isDeferrable: boolean;
  /** Foreign keys of other tables need it. */
  readonly isReferenced: boolean;
  readonly keys: readonly IndexKey[];
  readonly included: readonly string[];
  readonly predicate: string | null;
  readonly fillFactor: number;
  readonly deduplicates: boolean;
  readonly sizeBytes: number;
  readonly tuples: number;
  readonly scans: number;
  readonly tablePages: number;
  readonly inserts: number;
  readonly updates: number;
  readonly hotUpdates: number;
}

/** A relation, with its partitions when it has any. */
const overTree = (what: (oid: string) => string, kind: string, oid: string): string =>
  `(CASE WHEN ${kind} IN ('I', 'p') THEN (SELECT sum(${what('tree.relid')}) FROM pg_partition_tree(${oid}) tree)
         ELSE ${what(oid)} END)::float8`;

const ofIndex = (name: string) => overTree((oid) => `${name}(${oid})`, 'c.relkind', 'c.oid');
const ofTable = (name: string) => overTree((oid) => `${name}(${oid})`, 't.relkind', 't.oid');

/** Run with `search_path = pg_catalog`. @param $1 tables to leave out, since they are locked */
const INDEXES = `
  SELECT c.oid, t.oid AS "tableOid", n.nspname AS schema, t.relname AS "table", c.relname AS name,
         am.amname AS method, c.relkind = 'I' AS "isPartitioned",
         EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) AS "isAttached",
         i.indisunique AS "isUnique", coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS "nullsNotDistinct",
         i.indisprimary AS "isPrimary", i.indisexclusion AS "isExclusion", i.indisreplident AS "isReplicaIdentity",
         i.indisvalid AND i.indisready AND i.indislive AS "isValid",
         EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS "isBeingBuilt",
         k.conname AS constraint, coalesce(k.condeferrable, false) AS "isDeferrable",
         EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.oid) AS "isReferenced",
         (SELECT json_agg(json_build_object('text', pg_get_indexdef(c.oid, g.n, false), 'column', a.attname,
                   'opclass', i.indclass[g.n - 1]::int8, 'collation', i.indcollation[g.n - 1]::int8,
                   'option', i.indoption[g.n - 1]) ORDER BY g.n)
          FROM generate_series(1, i.indnkeyatts) g(n)
          LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[g.n - 1] AND a.attnum > 0) AS keys,
         coalesce((SELECT json_agg(pg_get_indexdef(c.oid, g.n, false) ORDER BY g.n)
          FROM generate_series(i.indnkeyatts + 1, i.indnatts) g(n)), '[]'::json) AS included,
         pg_get_expr(i.indpred, t.oid) AS predicate,
         coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 90)
           AS "fillFactor",
         coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions)
           WHERE option_name = 'deduplicate_items'), true) AS deduplicates,
         coalesce(${ofIndex('pg_relation_size')}, 0) AS "sizeBytes",
         greatest(c.reltuples, 0)::float8 AS tuples,
         coalesce(${ofIndex('pg_stat_get_numscans')}, 0) AS scans,
         t.relpages AS "tablePages",
         coalesce(${ofTable('pg_stat_get_tuples_inserted')}, 0) AS inserts,
         coalesce(${ofTable('pg_stat_get_tuples_updated')}, 0) AS updates,
         coalesce(${ofTable('pg_stat_get_tuples_hot_updated')}, 0) AS "hotUpdates"
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    AND t.oid <> ALL ($1::oid[])
  ORDER BY c.oid`;

/** Whoever has such a lock would make us wait for definitions and sizes. */
const LOCKED = `
  SELECT DISTINCT coalesce(i.indrelid, l.relation) AS oid, l.relation::regclass::text AS name
  FROM pg_locks l LEFT JOIN pg_index i ON i.indexrelid = l.relation
  WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.relation >= 16384
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

export interface LockedTable {
  readonly oid: number;
  readonly name: string;
}

/** @throws the driver's error */
export async function readLockedTables(ask: Ask): Promise<readonly LockedTable[]> {
  return ask<LockedTable>(LOCKED);
}

/** @param locked tables that are left out @throws the driver's error */
export async function readIndexes(ask: Ask, locked: readonly LockedTable[]): Promise<readonly IndexRow[]> {
  return ask<IndexRow>(INDEXES, [locked.map((it) => it.oid)]);
}
