import { analyse } from '../analysis/analyse.js';
import { canonicalKeyValue, type KeyKind } from '../analysis/key-value.js';
import { type Statement } from '../analysis/statement.js';
import { type CatalogueRelation } from '../catalogue/snapshot.js';
import { QueryLoaderKeyError, QueryLoaderOptionsError } from '../query-optimizer.errors.js';
import { type LoaderOptions } from './loader.options.js';

export type KeyValue = string | number | bigint | boolean;
export type Row = Readonly<Record<string, unknown>>;

const ARRAYS: Readonly<Record<KeyKind, string>> = {
  integer: 'bigint[]',
  uuid: 'uuid[]',
  text: 'text[]',
  boolean: 'boolean[]',
};

/** The one statement of a loader: the rows of any number of keys. */
export class BatchStatement {
  readonly statement: Statement;
  readonly #kinds: readonly (readonly [column: string, kind: KeyKind])[];

  /** @throws {QueryLoaderOptionsError} the table has no such columns, or they are no keys */
  constructor(table: CatalogueRelation, options: LoaderOptions) {
    const { key, columns, orderBy } = options;
    const asked = [...key, ...(columns ?? []), ...Object.keys(orderBy)];
    const unknown = asked.filter((it) => !table.columns.has(it));
    if (unknown.length > 0)
      throw new QueryLoaderOptionsError(unknown.map((it) => `${table.name} has no column ${it}`));
    this.#kinds = key.map((it) => {
      const kind = table.columns.get(it)?.keyKind;
      if (kind) return [it, kind] as const;
      throw new QueryLoaderOptionsError([
        `${table.name}.${it} is no key: it must be an integer, uuid, text or boolean`,
      ]);
    });
    const selected = columns ? [...new Set([...key, ...columns])].map(quoted).join(', ') : '*';
    const order = Object.entries(orderBy).map(([column, direction]) => `${quoted(column)} ${direction}`);
    this.statement = analyse(
      `SELECT ${selected} FROM ${quoted(table.schema)}.${quoted(table.name)} WHERE ${this.#condition()}` +
        (order.length > 0 ? ` ORDER BY ${order.join(', ')}` : ''),
    );
  }

  parametersOf(keys: readonly (readonly KeyValue[])[]): unknown[] {
    return this.#kinds.map((_, at) => keys.map((it) => it[at]));
  }

  /** Equal for keys that are equal for PostgreSQL. @throws {QueryLoaderKeyError} */
  textOfKey(key: readonly KeyValue[]): string {
    if (key.length !== this.#kinds.length) {
      throw new QueryLoaderKeyError(`has ${key.length} values, and the loader ${this.#kinds.length} columns`);
    }
    return this.#textOf((at) => key[at]);
  }

  textOfRow(row: Row): string {
    return this.#textOf((_, column) => row[column]);
  }

  /** By the first column alone an index finds little less, and a result depends on those rows only. */
  #condition(): string {
    const [[first = '', kind = 'text'] = []] = this.#kinds;
    const isFirst = `${quoted(first)} = ANY($1::${ARRAYS[kind]})`;
    if (this.#kinds.length === 1) return isFirst;
    const columns = this.#kinds.map(([column]) => quoted(column)).join(', ');
    const arrays = this.#kinds.map(([, it], at) => `$${at + 1}::${ARRAYS[it]}`).join(', ');
    return `${isFirst} AND (${columns}) IN (SELECT * FROM unnest(${arrays}))`;
  }

  #textOf(valueOf: (at: number, column: string) => unknown): string {
    const texts = this.#kinds.map(([column, kind], at) => {
      const value = valueOf(at, column);
      // Spaces at the end of a text count here.
      const text = kind === 'text' && typeof value === 'string' ? value : canonicalKeyValue(kind, value);
      if (text !== undefined) return text;
      throw new QueryLoaderKeyError(`has no ${kind} for ${column}`);
    });
    return texts.length === 1 ? (texts[0] ?? '') : JSON.stringify(texts);
  }
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
