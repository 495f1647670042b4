/** Stable functions of PostgreSQL that answer by the clock. `age(x)` counts from today, `age(x, y)` does not. */
export function isTimeDependent(name: string, argumentCount: number): boolean {
  return TIME.has(name) || (name === 'age' && argumentCount === 1);
}

/** Stable functions that answer by the session, the server or the catalogue, of none of which an invalidation tells. */
export function isSessionDependent(name: string): boolean {
  return SESSION.has(name) || SESSION_PATTERN.test(name);
}

/** Functions that run an SQL text which they get as a value. */
export function runsAnyQuery(name: string): boolean {
  return QUERY_RUNNERS.test(name);
}

/** Extensions whose volatile functions write no table and whose stable ones read none. */
export function isHarmlessExtension(extension: string | null): boolean {
  return extension !== null && HARMLESS_EXTENSIONS.has(extension);
}

/** `SQLValueFunction`s that answer by the clock. */
export const TIME_VALUE_FUNCTIONS: ReadonlySet<string> = new Set([
  'current_date',
  'current_time',
  'current_timestamp',
  'localtime',
  'localtimestamp',
]);

const TIME = new Set(['now', 'transaction_timestamp', 'statement_timestamp']);

const SESSION = new Set([
  'current_setting',
  'session_user',
  'current_query',
  'version',
  'getpgusername',
  'current_schemas',
  'row_security_active',
  'to_regclass',
  'to_regproc',
  'to_regprocedure',
  'to_regoper',
  'to_regoperator',
  'to_regtype',
  'to_regrole',
  'to_regnamespace',
  'to_regcollation',
  'to_regtypemod',
]);
const SESSION_PATTERN =
  /^(pg_(?!size_pretty|size_bytes|typeof|column_size)|has_|txid_|inet_(client|server)_|makeaclitem|.*_description$)/;

const QUERY_RUNNERS =
  /^(query_to_xml|query_to_xmlschema|query_to_xml_and_xmlschema|cursor_to_xml|cursor_to_xmlschema|(table|schema|database)_to_xml.*|ts_stat|ts_rewrite)$/;

const HARMLESS_EXTENSIONS = new Set([
  'pgcrypto',
  'uuid-ossp',
  'pg_trgm',
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'isn',
  'ltree',
  'seg',
  'unaccent',
  'vector',
]);
