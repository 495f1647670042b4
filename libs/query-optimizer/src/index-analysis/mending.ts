import { formatRelationName } from '../analysis/relation-name.js';
import { type IndexRow } from './index-rows.js';

type Named = Pick<IndexRow, 'schema' | 'table' | 'name' | 'constraint' | 'isPartitioned'>;

/** Only what has no constraint and no partitions can go without a lock that writers would wait for. */
export function dropStatement({ schema, table, name, constraint, isPartitioned }: Named): string {
  if (constraint !== null)
    return `ALTER TABLE ${formatRelationName({ schema, name: table })} DROP CONSTRAINT ${quoted(constraint)}`;
  return `DROP INDEX ${isPartitioned ? '' : 'CONCURRENTLY '}${formatRelationName({ schema, name })}`;
}

export function rebuildStatement({ schema, name }: Named): string {
  return `REINDEX INDEX CONCURRENTLY ${formatRelationName({ schema, name })}`;
}

/** PostgreSQL finds a name that is free. */
export function createStatement(
  table: { readonly schema: string; readonly table: string; readonly isPartitioned: boolean },
  columns: readonly string[],
): string {
  const name = formatRelationName({ schema: table.schema, name: table.table });
  return `CREATE INDEX ${table.isPartitioned ? '' : 'CONCURRENTLY '}ON ${name} (${columns.map(quoted).join(', ')})`;
}

function quoted(name: string): string {
  return formatRelationName({ schema: null, name });
}
