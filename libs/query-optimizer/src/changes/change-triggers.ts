import { formatRelationName, type RelationName } from '../analysis/relation-name.js';

/** Where changed tables are told. The payload is the table's oid, a space, and the origin of the writer's session. */
export const CHANGE_CHANNEL = 'peregrine_changes';

/** A setting of the session; who set it hears of its own writes in a better way. */
export const ORIGIN_SETTING = 'peregrine.origin';

const FUNCTION = 'peregrine_table_changed';

/**
 * For a migration: SQL that makes the tables tell their changes, whoever makes them. A statement costs its writer about
 * 0.05 ms; a table that a transaction changes many times is told once, at its commit.
 *
 * @param schema of the function
 */
export function installChangeTriggers(tables: readonly RelationName[], schema = 'public'): string[] {
  const functionName = formatRelationName({ schema, name: FUNCTION });
  return [
    `CREATE OR REPLACE FUNCTION ${functionName}() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       PERFORM pg_catalog.pg_notify('${CHANGE_CHANNEL}',
         TG_RELID::text || ' ' || coalesce(pg_catalog.current_setting('${ORIGIN_SETTING}', true), ''));
       RETURN NULL;
     END $$`,
    ...tables.flatMap((it) => [
      ...removeChangeTriggers([it]),
      `CREATE TRIGGER ${FUNCTION} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${formatRelationName(it)}
         FOR EACH STATEMENT EXECUTE FUNCTION ${functionName}()`,
    ]),
  ];
}

/** The way back; the function stays, since other tables may use it. */
export function removeChangeTriggers(tables: readonly RelationName[]): string[] {
  return tables.map((it) => `DROP TRIGGER IF EXISTS ${FUNCTION} ON ${formatRelationName(it)}`);
}
