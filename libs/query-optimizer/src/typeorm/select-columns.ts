import { type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { type ColumnOf, columnsOf, hydrated } from './entity-columns.js';

/**
 * Runs a query for some columns of its main entity only: plain objects with these and nothing else, also where a column is
 * not selected by default. No relation is loaded, be it eager or joined, and no primary key that was not asked for.
 *
 * @example const names = await selectColumns(files.createQueryBuilder('f').where('f.size > 9'), ['id', 'name']);
 * @param query is not changed; what it selects is not asked for
 * @throws {QueryUnknownColumnError} nothing was sent
 */
export async function selectColumns<Entity extends ObjectLiteral, Column extends ColumnOf<Entity>>(
  query: SelectQueryBuilder<Entity>,
  properties: readonly Column[],
): Promise<Pick<Entity, Column>[]> {
  const { mainAlias } = query.expressionMap;
  if (!mainAlias?.hasMetadata) throw new TypeError('The query builder has no main entity to select from');
  const columns = columnsOf(mainAlias.metadata, properties);
  const narrowed = query.clone().select([]);
  for (const it of columns) narrowed.addSelect(`${mainAlias.name}.${it.propertyPath}`, it.propertyPath);
  const rows = await narrowed.getRawMany<Record<string, unknown>>();
  return rows.map((row) => {
    const values = columns.map((it) => [it.propertyPath, hydrated(it, row[it.propertyPath])] as const);
    return Object.fromEntries(values) as Pick<Entity, Column>;
  });
}
