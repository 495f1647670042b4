import { addAbortSignal, type Readable } from 'node:stream';
import { assertRange, collect, streamOf } from './byte-streams.js';
import type { ByteRange, ListedObject, StorageCallOptions, StorageDriver } from './storage-driver.js';
import { storageFault } from './storage-fault.js';
import { assertStorageKey } from './storage-key.js';
import { StorageObjectNotFoundError, StorageRangeError, StorageUnavailableError } from './storage.errors.js';

/** What the driver needs of a database: parameterised statements. A TypeORM `DataSource` fits. */
export interface StorageDatabase {
  query<T>(sql: string, parameters?: unknown[]): Promise<T>;
}

/** Largest object that the database takes, bytes. Each one is held in memory as a whole. */
export const POSTGRES_MAX_BYTES = 1024 * 1024;

/** More than a bytea can hold, and small enough that two of them fit PostgreSQL's integer. */
const ANY_LENGTH = 0x3fff_ffff;

const LIST_PAGE_ROWS = 1_000;

interface ListedRow {
  key: string;
  size_bytes: number | string;
  created_at: Date;
}

/**
 * Small objects as rows of `storage_objects (key, data, size_bytes, created_at)`: one round trip each, and no
 * file for a few bytes. An insert whose answer is lost with the connection may leave a row; the orphan sweep
 * finds it. Statements run on connections of their own, never inside a transaction of the caller.
 */
export class PostgresStorage implements StorageDriver {
  readonly name = 'postgres';
  readonly #database: StorageDatabase;
  readonly #maxBytes: number;

  /** @param options.maxBytes a longer body is refused with `StorageObjectTooLargeError` */
  constructor(database: StorageDatabase, options: { maxBytes?: number } = {}) {
    this.#database = database;
    this.#maxBytes = options.maxBytes ?? POSTGRES_MAX_BYTES;
  }

  async write(key: string, body: Readable, options: StorageCallOptions = {}): Promise<void> {
    assertStorageKey(key);
    if (options.signal) addAbortSignal(options.signal, body);
    const data = await collect(body, this.#maxBytes);
    options.signal?.throwIfAborted();
    await this.#query(
      'write',
      `INSERT INTO storage_objects (key, data, size_bytes, created_at) VALUES ($1, $2, $3, now())`,
      [key, data, data.length],
    );
  }

  async read(key: string, range?: ByteRange, options: StorageCallOptions = {}): Promise<Readable> {
    assertStorageKey(key);
    if (range) assertRange(range);
    options.signal?.throwIfAborted();
    const start = range ? Math.min(range.start, ANY_LENGTH) : 0;
    const length = range ? Math.min(range.end - range.start + 1, ANY_LENGTH) : ANY_LENGTH;
    const rows = await this.#query<{ data: Buffer; size_bytes: number | string }[]>(
      'read',
      `SELECT size_bytes, substring(data FROM $2::int FOR $3::int) AS data FROM storage_objects WHERE key = $1`,
      [key, start + 1, length],
    );
    options.signal?.throwIfAborted();
    const [row] = rows;
    if (!row) throw new StorageObjectNotFoundError(this.name, key);
    if (range && range.start >= Number(row.size_bytes)) throw new StorageRangeError(range);
    return streamOf(row.data);
  }

  async readHeads(keys: readonly string[], lengthBytes: number): Promise<Map<string, Buffer>> {
    for (const key of keys) assertStorageKey(key);
    const rows = await this.#query<{ key: string; data: Buffer }[]>(
      'read',
      `SELECT key, substring(data FROM 1 FOR $2::int) AS data FROM storage_objects WHERE key = ANY ($1::uuid[])`,
      [keys, Math.min(lengthBytes, ANY_LENGTH)],
    );
    return new Map(rows.map((it) => [it.key, it.data]));
  }

  async delete(key: string): Promise<void> {
    assertStorageKey(key);
    await this.#query('delete', `DELETE FROM storage_objects WHERE key = $1`, [key]);
  }

  async *list(): AsyncIterable<ListedObject> {
    let after: string | undefined;
    do {
      const rows: ListedRow[] = await this.#query(
        'list',
        `SELECT key, size_bytes, created_at FROM storage_objects
          WHERE $1::uuid IS NULL OR key > $1::uuid ORDER BY key LIMIT ${LIST_PAGE_ROWS}`,
        [after ?? null],
      );
      for (const row of rows) {
        yield { key: row.key, sizeBytes: Number(row.size_bytes), modifiedAt: row.created_at };
      }
      after = rows.length === LIST_PAGE_ROWS ? rows.at(-1)?.key : undefined;
    } while (after);
  }

  async check(signal?: AbortSignal): Promise<void> {
    const query = this.#query('read', `SELECT 1 FROM storage_objects LIMIT 1`, []);
    await (signal ? Promise.race([query, this.#timeout(signal)]) : query);
  }

  /** A statement that waits for a connection cannot be cancelled: the caller is told, and the answer dropped. */
  #timeout(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const fail = () => reject(new StorageUnavailableError(this.name, 'read', 'it did not answer in time'));
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    });
  }

  async #query<T>(operation: string, sql: string, parameters: unknown[]): Promise<T> {
    try {
      return await this.#database.query<T>(sql, parameters);
    } catch (error) {
      throw storageFault(this.name, operation, error);
    }
  }
}
