import DataLoader from 'dataloader';
import { type RelationName } from '../analysis/relation-name.js';
import { type Statement } from '../analysis/statement.js';
import { type CatalogueRelation } from '../catalogue/snapshot.js';
import { type ExecuteOptions } from '../execution/execute-options.js';
import { type Rows } from '../result-cache/result-store.js';
import { BatchStatement, type KeyValue } from './batch-statement.js';
import { currentLoaderScope } from './loader-scope.js';
import { type LoaderOptions } from './loader.options.js';

/** What a loader needs of its optimizer. */
export interface LoaderSource {
  /** Counts the states of the schema. */
  readonly schemaVersion: number;
  /** @throws {QueryUnknownTableError} */
  table(name: RelationName): CatalogueRelation;
  /** Counts the writes to what the statement reads. */
  changes(statement: Statement): number;
  send(statement: Statement, parameters: readonly unknown[]): Promise<Rows>;
  /** From the result cache, where it can be trusted. @param load where it has none */
  read(
    statement: Statement,
    parameters: readonly unknown[],
    options: ExecuteOptions,
    load: () => Promise<Rows>,
  ): Promise<Rows>;
}

/** A key of one column, or of several in the order of the option. */
export type LoaderKey = KeyValue | readonly KeyValue[];

/** In one scope. */
interface Memory {
  readonly loader: DataLoader<readonly KeyValue[], Rows, string>;
  readonly batch: BatchStatement;
  readonly schemaVersion: number;
  changes: number;
}

/**
 * The rows of a key; keys that are asked for together become one statement, in the order that they are asked for. A scope
 * of `withLoaders` remembers them, until this process, or another that is heard, writes to the table.
 */
export class RowLoader {
  constructor(
    private readonly source: LoaderSource,
    private readonly options: LoaderOptions,
  ) {}

  /** @throws {QueryLoaderScopeError} {@link QueryLoaderKeyError}, {@link QueryLoaderOptionsError}, {@link QueryUnknownTableError}, and as `execute` */
  async load(key: LoaderKey): Promise<Rows> {
    const memory = this.#memory();
    const values = Array.isArray(key) ? (key as readonly KeyValue[]) : [key as KeyValue];
    // Here and not in a batch, whose other keys are not wrong.
    memory.batch.textOfKey(values);
    return memory.loader.load(values);
  }

  #memory(): Memory {
    const scope = currentLoaderScope();
    const { schemaVersion } = this.source;
    let memory = scope.get(this) as Memory | undefined;
    if (memory?.schemaVersion !== schemaVersion) {
      memory = this.#open(schemaVersion);
      scope.set(this, memory);
    }
    const changes = this.source.changes(memory.batch.statement);
    if (changes !== memory.changes) memory.loader.clearAll();
    memory.changes = changes;
    return memory;
  }

  #open(schemaVersion: number): Memory {
    const { source, options } = this;
    const batch = new BatchStatement(source.table(options.table), options);
    const { statement } = batch;
    const limit = { maxBatchSize: options.maxBatchSize, cacheKeyFn: batch.textOfKey.bind(batch) };
    const ask = async (keys: readonly (readonly KeyValue[])[]) => {
      const rows = await source.send(statement, batch.parametersOf(keys));
      const byKey = Map.groupBy(rows, (it) => batch.textOfRow(it));
      return keys.map((it): Rows => byKey.get(batch.textOfKey(it)) ?? []);
    };
    const direct = new DataLoader(ask, { ...limit, cache: !options.cache });
    const changes = source.changes(statement);
    if (!options.cache) return { loader: direct, batch, schemaVersion, changes };
    const { ttlMs } = options;
    const kept = { cache: true, ...(ttlMs !== undefined && { ttlMs }) };
    const readOne = (key: readonly KeyValue[]): Promise<Rows | Error> =>
      source
        .read(statement, batch.parametersOf([key]), kept, () => direct.load(key))
        // Of this key alone, and to be asked for again.
        .catch((error: Error) => {
          cached.clear(key);
          return error;
        });
    const cached = new DataLoader(
      (keys: readonly (readonly KeyValue[])[]) => Promise.all(keys.map(readOne)),
      limit,
    );
    return { loader: cached, batch, schemaVersion, changes };
  }
}
