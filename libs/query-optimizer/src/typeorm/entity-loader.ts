import { type ObjectLiteral, type Repository } from 'typeorm';
import { type Loader } from '../loaders/loader.js';
import { type LoaderOptionsInput } from '../loaders/loader.options.js';
import { type QueryOptimizer } from '../query-optimizer.js';
import { type ColumnOf, columnsOf, entityOf } from './entity-columns.js';

export interface EntityLoaderOptions<Entity> extends Pick<
  LoaderOptionsInput,
  'cache' | 'ttlMs' | 'maxBatchSize'
> {
  /** The property, or properties, by whose values entities are asked for. */
  readonly key: ColumnOf<Entity> | readonly ColumnOf<Entity>[];
  /** Properties that are loaded, besides the key. @default every column that is selected by default */
  readonly columns?: readonly ColumnOf<Entity>[];
}

export interface EntitiesLoaderOptions<Entity> extends EntityLoaderOptions<Entity> {
  /** The order of the entities of one key. */
  readonly orderBy?: Readonly<Partial<Record<ColumnOf<Entity>, 'ASC' | 'DESC'>>>;
}

/**
 * An entity by its key. As `QueryOptimizer.loaderFor`, with an object for each who asks. Relations are not loaded, and soft
 * deletion is not looked at.
 *
 * @example const authors = entityLoaderFor(optimizer, source.getRepository(Author), { key: 'id' });
 * @throws {QueryUnknownColumnError} {@link QueryLoaderOptionsError}
 */
export function entityLoaderFor<Entity extends ObjectLiteral>(
  optimizer: QueryOptimizer,
  repository: Repository<Entity>,
  options: EntityLoaderOptions<Entity>,
): Loader<Entity | null> {
  const { loaderOptions, toEntity } = plan(repository, options);
  const rows = optimizer.loaderFor(loaderOptions);
  return mapped(rows, (row) => row && toEntity(row));
}

/** All entities of a key. @see {@link entityLoaderFor} */
export function entitiesLoaderFor<Entity extends ObjectLiteral>(
  optimizer: QueryOptimizer,
  repository: Repository<Entity>,
  options: EntitiesLoaderOptions<Entity>,
): Loader<readonly Entity[]> {
  const { loaderOptions, toEntity } = plan(repository, options);
  return mapped(optimizer.rowsLoaderFor(loaderOptions), (rows) => rows.map(toEntity));
}

function plan<Entity extends ObjectLiteral>(
  { metadata }: Repository<Entity>,
  { key, columns, orderBy, ...limits }: EntitiesLoaderOptions<Entity>,
) {
  const keys: readonly string[] = typeof key === 'string' ? [key] : key;
  const byDefault = metadata.columns.filter((it) => it.isSelect && !it.isVirtual);
  const loaded = columns ? columnsOf(metadata, [...new Set([...keys, ...columns])]) : byDefault;
  const nameOf = (property: string) => columnsOf(metadata, [property])[0]?.databaseName ?? property;
  const order = Object.entries(orderBy ?? {}) as [string, 'ASC' | 'DESC'][];
  const loaderOptions: LoaderOptionsInput = {
    ...limits,
    table: { schema: metadata.schema ?? null, name: metadata.tableName },
    key: keys.map(nameOf),
    columns: loaded.map((it) => it.databaseName),
    orderBy: Object.fromEntries(order.map(([property, direction]) => [nameOf(property), direction])),
  };
  const toEntity = (row: Readonly<Record<string, unknown>>) => entityOf<Entity>(metadata, loaded, row);
  return { loaderOptions, toEntity };
}

function mapped<V, W>(loader: Loader<V>, map: (value: V) => W): Loader<W> {
  return {
    load: async (key) => map(await loader.load(key)),
    loadMany: async (keys) => (await loader.loadMany(keys)).map(map),
  };
}
