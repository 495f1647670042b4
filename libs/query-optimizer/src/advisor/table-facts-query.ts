/**
 * Tables with columns, statistics and indexes, PostgreSQL 14 to 18. $1 and $2 are schemas and names in the same order. Of a
 * partition all its relatives come along, since an index belongs on the topmost table.
 */
export const TABLE_FACTS_QUERY = `
  WITH RECURSIVE named AS (
    SELECT c.oid FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p', 'm')
  ), up AS (
    SELECT oid FROM named
    UNION SELECT i.inhparent FROM up JOIN pg_catalog.pg_class c ON c.oid = up.oid AND c.relispartition
          JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid
  ), family AS (
    SELECT oid FROM up
    UNION SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits i ON i.inhparent = family.oid
          JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p')
  )
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
         greatest(c.reltuples, 0)::float8 AS row_count, greatest(c.relpages, 0) AS page_count,
         pg_catalog.pg_relation_size(c.oid) AS size_bytes,
         CASE WHEN c.relpages > 0 THEN least(c.relallvisible::float8 / c.relpages, 1) ELSE 0 END AS visible_fraction,
         pg_catalog.pg_get_partkeydef(c.oid) AS partition_key,
         pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_bound,
         CASE WHEN c.relispartition
              THEN (SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid LIMIT 1) END AS partition_of,
         ARRAY(SELECT i.inhparent::int8::float8 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) AS parents,
         coalesce(pg_catalog.pg_stat_get_tuples_hot_updated(c.oid), 0) AS hot_updates,
         (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
             'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
             'baseType', b.typname, 'category', b.typcategory, 'isNotNull', a.attnotnull,
             'isSortable', b.typcategory IN ('A', 'E', 'R') OR EXISTS (
               SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
               WHERE o.opcdefault AND (o.opcintype = b.oid OR b.typname IN ('varchar'))),
             'averageBytes', coalesce(s.avg_width, CASE WHEN b.typlen > 0 THEN b.typlen ELSE 32 END),
             'distinct', s.n_distinct, 'nullFraction', coalesce(s.null_frac, 0), 'correlation', s.correlation,
             'commonValue', CASE WHEN b.typcategory <> 'A' THEN (s.most_common_vals::text::text[])[1] END,
             'commonFraction', coalesce(s.most_common_freqs[1], 0),
             'median', CASE WHEN b.typcategory <> 'A' THEN
                (s.histogram_bounds::text::text[])[(pg_catalog.array_length(s.histogram_bounds::text::text[], 1) + 1) / 2]
              END) ORDER BY a.attnum), '[]')
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
          LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
               AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
             'name', ic.relname, 'method', m.amname, 'isUnique', i.indisunique, 'isValid', i.indisvalid,
             'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
             'sizeBytes', pg_catalog.pg_relation_size(ic.oid),
             'keys', (SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false)
                        || coalesce((SELECT ' ' || o.opcname FROM pg_catalog.pg_opclass o
                                     WHERE o.oid = i.indclass[k - 1] AND NOT o.opcdefault), '')
                        || CASE WHEN i.indoption[k - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                        || CASE WHEN i.indoption[k - 1] & 3 = 1 THEN ' NULLS LAST'
                                WHEN i.indoption[k - 1] & 3 = 2 THEN ' NULLS FIRST' ELSE '' END
                        ORDER BY k)
                      FROM pg_catalog.generate_series(1, i.indnkeyatts::int) AS k),
             'included', coalesce((SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) ORDER BY k)
                      FROM pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int) AS k), '[]'))), '[]')
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
          JOIN pg_catalog.pg_am m ON m.oid = ic.relam
          WHERE i.indrelid = c.oid) AS indexes
  FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  ORDER BY c.oid`;
