import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { PostgresStorage } from '../src/storage/postgres-storage.js';
import { StorageObjectTooLargeError, StorageUnavailableError } from '../src/storage/storage.errors.js';
import { runStorageContract } from './storage-contract.js';
import { createStorageDatabase, type TestDatabase } from './storage-postgres-database.js';
import { chunked, generated, MIB, toArray } from './storage-sources.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createStorageDatabase();
});

afterAll(async () => {
  await database.drop();
});

describe('the PostgreSQL storage keeps the contract:', () => {
  runStorageContract(() =>
    Promise.resolve({
      driver: new PostgresStorage(database.dataSource),
      leftovers: () => Promise.resolve([]),
      maxBytes: MIB,
      writeBufferBytes: 2 * MIB,
    }),
  );
});

describe('the PostgreSQL storage', () => {
  it('refuses a body over its limit without reading it all', async () => {
    const storage = new PostgresStorage(database.dataSource, { maxBytes: 100_000 });
    await expect(storage.write(randomUUID(), generated(Infinity))).rejects.toThrow(
      StorageObjectTooLargeError,
    );
    expect(await toArray(storage.list())).toEqual([]);
  });

  it('lists more objects than fit one page', async () => {
    const storage = new PostgresStorage(database.dataSource);
    await database.dataSource.query(
      `INSERT INTO storage_objects (key, data, size_bytes) SELECT gen_random_uuid(), 'x', 1 FROM generate_series(1, 2000)`,
    );
    const keys = new Set((await toArray(storage.list())).map((it) => it.key));
    expect(keys.size).toBe(2_000);
    await database.dataSource.query(`TRUNCATE storage_objects`);
  });

  it('refuses to overwrite an object', async () => {
    const storage = new PostgresStorage(database.dataSource);
    const key = randomUUID();
    await storage.write(key, chunked(Buffer.from('first')));
    await expect(storage.write(key, chunked(Buffer.from('second')))).rejects.toThrow(StorageUnavailableError);
    await storage.delete(key);
  });

  it('is unavailable when the database is gone, and names no secret', async () => {
    const closed = await new DataSource({ type: 'postgres', url: process.env['DATABASE_URL'] }).initialize();
    await closed.destroy();
    const storage = new PostgresStorage(closed);
    await expect(storage.check()).rejects.toThrow(StorageUnavailableError);
    await expect(storage.read(randomUUID())).rejects.toThrow(StorageUnavailableError);
    await expect(toArray(storage.list())).rejects.toThrow(/^The postgres storage cannot list: \w+$/);
  });

  it('gives a check up that gets no connection in time', async () => {
    const storage = new PostgresStorage({ query: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const check = storage.check(controller.signal);
    controller.abort();
    await expect(check).rejects.toThrow(StorageUnavailableError);
  });
});
