import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ObjectStore } from '../src/storage/object-store.js';
import { createStorageDrivers } from '../src/storage/storage-drivers.js';
import { parseStorageOptions } from '../src/storage/storage.options.js';
import { createStorageDatabase, type TestDatabase } from './storage-postgres-database.js';
import { BUCKET, CREDENTIALS, startS3Server, type S3Server } from './storage-s3-server.js';
import { chunked, sha256 } from './storage-sources.js';

const DATABASE_MAX_BYTES = 200;

let database: TestDatabase;
let server: S3Server;
let root: string;
let stores: ObjectStore[];

beforeAll(async () => {
  [database, server] = await Promise.all([createStorageDatabase(), startS3Server()]);
  root = await mkdtemp(join(tmpdir(), 'peregrine-property-'));
  const shared = {
    folder: { root },
    s3: { endpoint: server.endpoint, bucket: BUCKET, forcePathStyle: true, ...CREDENTIALS },
    databaseMaxBytes: DATABASE_MAX_BYTES,
  };
  stores = (['folder', 's3'] as const).map((driver) => {
    const options = parseStorageOptions({ driver, ...shared });
    return new ObjectStore(createStorageDrivers(options, database.dataSource), options);
  });
});

afterAll(async () => {
  await Promise.all(stores.map((it) => it.onApplicationShutdown()));
  await server.stop();
  await rm(root, { recursive: true, force: true });
  await database.drop();
});

const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });

describe('the object store', () => {
  it('gives back any bytes in any chunks by any range, and hashes them as Node does', async () => {
    const property = fc.asyncProperty(chunks, fc.nat(), fc.nat(), fc.nat(1), async (parts, a, b, which) => {
      const store = stores[which];
      if (!store) return;
      const bytes = Buffer.concat(parts);
      const object = await store.put(chunked(...parts), { limitBytes: bytes.length });
      const small = bytes.length <= DATABASE_MAX_BYTES;
      expect(object).toMatchObject({ sizeBytes: bytes.length, sha256: sha256(bytes) });
      expect(object.driver === 'postgres').toBe(small);
      expect((await store.readAll(object, { maxBytes: bytes.length })).equals(bytes)).toBe(true);
      if (bytes.length > 0) {
        const start = a % bytes.length;
        const end = start + (b % (bytes.length + 50));
        const read = await buffer(await store.open(object, { start, end }));
        expect(read.equals(bytes.subarray(start, end + 1))).toBe(true);
      }
      await store.remove(object);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
