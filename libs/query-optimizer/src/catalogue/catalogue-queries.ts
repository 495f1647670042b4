/**
 * What is read of pg_catalog, PostgreSQL 14 to 18. Run with `search_path = pg_catalog`, so that definitions come with
 * qualified names.
 */
export const CATALOGUE_QUERIES = {
  relations: `
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS relkind,
           c.relpersistence = 't' AS is_temporary, c.relrowsecurity AS has_row_security,
           CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN '[]'::json ELSE coalesce((
             SELECT json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8,
                                               'deterministic', coalesce(l.collisdeterministic, true)))
             FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'::json) END AS columns,
           CASE WHEN c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                THEN pg_get_viewdef(c.oid) END AS definition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_toast'`,
  inheritance: `SELECT inhrelid AS child, inhparent AS parent FROM pg_inherits`,
  foreignKeys: `
    SELECT c.conrelid AS referencing, c.confrelid AS referenced,
           c.confdeltype::text AS on_delete, c.confupdtype::text AS on_update,
           (SELECT json_agg(a.attname) FROM pg_attribute a
            WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS referencing_columns,
           (SELECT json_agg(a.attname) FROM pg_attribute a
            WHERE a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)) AS referenced_columns
    FROM pg_constraint c WHERE c.contype = 'f'`,
  triggers: `
    SELECT tgrelid AS relation, tgname AS name, tgfoid AS function, tgtype AS type
    FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'`,
  rules: `SELECT ev_class AS relation, rulename AS name, ev_type::text AS event FROM pg_rewrite
    WHERE rulename <> '_RETURN' AND ev_enabled <> 'D' AND ev_class >= 16384`,
  viewDependencies: `
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
    JOIN pg_namespace n ON n.oid = v.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    WHERE r.rulename = '_RETURN' AND d.refobjid <> r.ev_class`,
  policies: `
    SELECT polrelid AS relation, pg_get_expr(polqual, polrelid) AS condition
    FROM pg_policy WHERE polqual IS NOT NULL`,
  functions: `
    SELECT p.oid, n.nspname AS schema, p.proname AS name, p.pronargs - p.pronargdefaults AS min_arguments,
           CASE WHEN p.provariadic <> 0 THEN NULL ELSE p.pronargs END AS max_arguments,
           p.provolatile::text AS volatility, l.lanname AS language, p.prokind::text AS prokind, p.prosrc AS source,
           CASE WHEN p.prokind IN ('f', 'p') AND (l.lanname = 'plpgsql' OR p.prosqlbody IS NOT NULL)
                THEN pg_get_functiondef(p.oid) END AS definition,
           p.proconfig AS settings, e.extname AS extension,
           CASE WHEN p.pronargs = 1 THEN coalesce(t.typrelid, 0) ELSE 0 END AS row_of,
           CASE WHEN g.aggfnoid IS NULL THEN '{}'::int8[]
                ELSE ARRAY[g.aggtransfn::oid::int8, g.aggfinalfn::oid::int8, g.aggcombinefn::oid::int8]
           END::text[]::float8[] AS parts
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
    JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    LEFT JOIN pg_type t ON t.oid = p.proargtypes[0] AND t.typtype = 'c'
    LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid`,
  builtins: `
    SELECT proname AS name, pronargs AS argument_count, bool_or(provariadic <> 0) AS is_variadic,
           max(CASE provolatile WHEN 'v' THEN '3v' WHEN 's' THEN '2s' ELSE '1i' END) AS volatility
    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY proname, pronargs`,
  operators: `
    SELECT oprname AS name, oprcode::oid AS function
    FROM pg_operator WHERE oprnamespace <> 'pg_catalog'::regnamespace AND oprcode <> 0`,
} as const;

/** Asked outside of the transaction, whose search path is another. */
export const SESSION_QUERY =
  'SELECT current_user::text AS role, current_schemas(false)::text[] AS "searchPath"';

/** Of the reader and of the groups they are in, by which policies go. Not of all roles: the server has others too. */
const RIGHTS = `
  WITH RECURSIVE own AS (
    SELECT oid FROM pg_roles WHERE rolname = current_user
    UNION SELECT roleid FROM pg_auth_members JOIN own ON member = own.oid)
  SELECT concat_ws('.',
    (SELECT sum(hashint8(oid::int8 # ((rolsuper::int + 2 * rolbypassrls::int + 4 * rolinherit::int)::int8 << 32))::int8)
     FROM own JOIN pg_roles USING (oid)),
    (SELECT sum(hashint8(m.roleid::int8 # (m.xmin::text::int8 << 32))::int8)
     FROM own JOIN pg_auth_members m ON m.member = own.oid))`;

/** `public` is older than all that people make. */
const IS_OURS = 'oid >= 16384 OR oid = 2200';

/**
 * Changes with every change that the catalogue's snapshot could show, and with what else decides the answer of a
 * statement: values of enums, casts, who is whose member. Temporary tables are left out. Sums of hashes over
 * (oid, xmin), so that it needs no sort; VACUUM and ANALYZE update their columns in place and do not change it.
 */
export const SCHEMA_VERSION_QUERY = `
  SELECT concat_ws('.', ${[
    `SELECT sum(hashint8(c.oid::int8 # (c.xmin::text::int8 << 32))::int8)
     FROM pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'`,
    `SELECT sum(hashint8(a.attrelid::int8 # (a.xmin::text::int8 << 32) + a.attnum)::int8)
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND a.attnum > 0`,
    ...['proc', 'trigger', 'rewrite', 'policy', 'constraint', 'namespace', 'operator', 'enum', 'cast'].map(
      (it) =>
        `SELECT sum(hashint8(oid::int8 # (xmin::text::int8 << 32))::int8) FROM pg_${it} WHERE ${IS_OURS}`,
    ),
    RIGHTS,
    `SELECT sum(hashint8(inhrelid::int8 # (inhparent::int8 << 32))::int8) FROM pg_inherits`,
  ]
    .map((it) => `(${it})`)
    .join(', ')}) AS version`;
