import { type EntityMetadata, type ObjectLiteral } from 'typeorm';
import { type ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { QueryUnknownColumnError } from '../query-optimizer.errors.js';

/** Columns of an entity by their properties: no relation, no part of the entity that holds several. */
export type ColumnOf<Entity> = Extract<keyof Entity, string>;

/** @throws {QueryUnknownColumnError} one of them is no column, or there is none */
export function columnsOf(metadata: EntityMetadata, properties: readonly string[]): ColumnMetadata[] {
  if (properties.length === 0) throw new QueryUnknownColumnError(metadata.name, []);
  const isOf = (it: ColumnMetadata, property: string) =>
    it.propertyPath === property && !(it.isVirtual && it.relationMetadata);
  const unknown = properties.filter((property) => !metadata.columns.some((it) => isOf(it, property)));
  if (unknown.length > 0) throw new QueryUnknownColumnError(metadata.name, unknown);
  return metadata.columns.filter((it) => properties.some((property) => isOf(it, property)));
}

/** A value as TypeORM would give it: through its own conversions, and the column's transformers. */
export function hydrated(column: ColumnMetadata, value: unknown): unknown {
  return column.entityMetadata.dataSource.driver.prepareHydratedValue(value, column) as unknown;
}

/** An entity that was loaded; its relations were not. */
export function entityOf<Entity extends ObjectLiteral>(
  metadata: EntityMetadata,
  columns: readonly ColumnMetadata[],
  row: Readonly<Record<string, unknown>>,
): Entity {
  const entity = metadata.create() as Entity;
  for (const it of columns) it.setEntityValue(entity, hydrated(it, row[it.databaseName]));
  return entity;
}
