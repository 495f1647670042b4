import { QueryLoaderOptionsError } from '../query-optimizer.errors.js';
import { type LoaderOptions } from './loader.options.js';
import { type LoaderKey, type RowLoader } from './row-loader.js';

/** Rows by a key; those that are asked for together are asked for by one statement. */
export interface Loader<V> {
  /**
   * What is returned is shared with who asks for the same in the same scope, so it must not be changed.
   *
   * @throws {QueryLoaderScopeError} outside of `withLoaders`
   * @throws {QueryLoaderKeyError} {@link QueryLoaderOptionsError}, {@link QueryUnknownTableError}, and as `execute`
   */
  load(key: LoaderKey): Promise<V>;
  /** In the order of the keys. @throws as `load` */
  loadMany(keys: readonly LoaderKey[]): Promise<V[]>;
}

/** One row, or null. */
export function singleRows<R>(rows: RowLoader, { key, table }: LoaderOptions): Loader<R | null> {
  return loader(async (it) => {
    const [row, another] = await rows.load(it);
    if (another) {
      throw new QueryLoaderOptionsError([
        `${table.name} has several rows with one value of ${key.join(', ')}; use rowsLoaderFor`,
      ]);
    }
    return (row as R | undefined) ?? null;
  });
}

/** All rows of a key. */
export function allRows<R>(rows: RowLoader): Loader<readonly R[]> {
  return loader(async (it) => (await rows.load(it)) as readonly R[]);
}

function loader<V>(load: (key: LoaderKey) => Promise<V>): Loader<V> {
  return { load, loadMany: (keys) => Promise.all(keys.map(load)) };
}
