import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { ObjectStore } from '../src/storage/object-store.js';
import { createStorageDrivers } from '../src/storage/storage-drivers.js';
import {
  StorageObjectNotFoundError,
  StorageObjectTooLargeError,
  StorageUnavailableError,
  UploadInterruptedError,
  UploadTooLargeError,
} from '../src/storage/storage.errors.js';
import { parseStorageOptions, type StorageOptionsInput } from '../src/storage/storage.options.js';
import { STORAGE_DRIVERS, STORAGE_OPTIONS } from '../src/storage/storage.tokens.js';
import { createStorageDatabase, type TestDatabase } from './storage-postgres-database.js';
import { chunked, digest, generated, interrupted, MIB, sha256, toArray } from './storage-sources.js';

const LIMIT = { limitBytes: 64 * MIB };

let database: TestDatabase;
let root: string;
let store: ObjectStore;

beforeAll(async () => {
  database = await createStorageDatabase();
  root = await mkdtemp(join(tmpdir(), 'peregrine-store-'));
  store = makeStore();
});

afterEach(async () => {
  for await (const object of store.list()) await store.remove(object);
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
  await database.drop();
});

function makeStore(input: Partial<StorageOptionsInput> = {}): ObjectStore {
  const options = parseStorageOptions({
    driver: 'folder',
    folder: { root },
    databaseMaxBytes: 1_000,
    ...input,
  });
  return new ObjectStore(createStorageDrivers(options, database.dataSource), options);
}

/** Waits for the end of a stream, whether it failed or not. */
const closed = (stream: Readable) => new Promise((resolve) => stream.once('close', resolve));

/** What uploads have written to the folder so far. */
function unfinishedBytes(): number {
  const folder = join(root, 'tmp');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

const nothingIsStored = async () => expect(await toArray(store.list())).toEqual([]);

describe('putting an object', () => {
  it.each([
    [0, 'postgres'],
    [1, 'postgres'],
    [1_000, 'postgres'],
    [1_001, 'folder'],
    [3 * MIB, 'folder'],
  ])('stores %i bytes in the %s, hashed and whole', async (sizeBytes, driver) => {
    const bytes = randomBytes(sizeBytes);
    const object = await store.put(chunked(bytes), LIMIT);
    expect(object).toEqual({ driver, key: expect.any(String), sizeBytes, sha256: sha256(bytes) });
    expect((await buffer(await store.open(object))).equals(bytes)).toBe(true);
    expect(await toArray(store.list())).toMatchObject([{ driver, key: object.key, sizeBytes }]);
  });

  it('keeps even an empty object out of the database when that is off', async () => {
    const object = await makeStore({ databaseMaxBytes: 0 }).put(chunked(), LIMIT);
    expect(object).toMatchObject({ driver: 'folder', sizeBytes: 0, sha256: sha256(Buffer.alloc(0)) });
    expect(await store.readAll(object, { maxBytes: 0 })).toHaveLength(0);
  });

  it('takes a stream of text', async () => {
    const object = await store.put(Readable.from(['grö', 'ße']), LIMIT);
    expect((await store.readAll(object, { maxBytes: 100 })).toString()).toBe('größe');
    expect(object.sizeBytes).toBe(7);
  });

  it('never runs ahead of the disk by more than a megabyte', async () => {
    let ahead = 0;
    const source = generated(32 * MIB, (given) => (ahead = Math.max(ahead, given - unfinishedBytes())));
    const object = await store.put(source, LIMIT);
    expect(object.sha256).toBe((await digest(generated(32 * MIB))).sha256);
    expect(ahead).toBeLessThanOrEqual(MIB);
  });

  it('gives every object a key of its own', async () => {
    const objects = await Promise.all(
      Array.from({ length: 50 }, (_, index) => store.put(chunked(Buffer.alloc(index * 50)), LIMIT)),
    );
    expect(new Set(objects.map((it) => it.key)).size).toBe(50);
  });
});

describe('an upload that cannot be stored', () => {
  it.each([
    ['within the database', 10],
    ['in the folder', 5 * MIB],
  ])('leaves nothing when it is over the limit %s', async (_name, limitBytes) => {
    const source = generated(Infinity);
    const error = await store.put(source, { limitBytes }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(UploadTooLargeError);
    expect(error).toMatchObject({ code: 'STORAGE_UPLOAD_TOO_LARGE', limitBytes });
    // The connection below the source must still carry the answer.
    expect(source.destroyed).toBe(false);
    await nothingIsStored();
  });

  it('takes an upload of exactly the limit', async () => {
    for (const limitBytes of [10, 5 * MIB]) {
      expect(await store.put(generated(limitBytes), { limitBytes })).toMatchObject({ sizeBytes: limitBytes });
    }
  });

  it.each([
    ['at once', 0],
    ['in the first bytes', 64 * 1024],
    ['in the middle', 5 * MIB],
  ])('leaves nothing when its source breaks off %s', async (_name, sizeBytes) => {
    const reset = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    await expect(store.put(interrupted(sizeBytes, reset), LIMIT)).rejects.toMatchObject({
      code: 'STORAGE_UPLOAD_INTERRUPTED',
      cause: reset,
    });
    await expect(store.put(interrupted(sizeBytes), LIMIT)).rejects.toThrow(UploadInterruptedError);
    await nothingIsStored();
  });

  it('leaves nothing of a source that was destroyed before', async () => {
    await expect(store.put(generated(10).destroy(), LIMIT)).rejects.toThrow(UploadInterruptedError);
    await nothingIsStored();
  });

  it.each([
    ['before it sends anything', 0],
    ['while the storage writes', 2 * MIB],
  ])('is given up by the signal when the client stalls %s', async (_name, sizeBytes) => {
    const controller = new AbortController();
    const stalling = new Readable({ read: () => undefined });
    stalling.push(Buffer.alloc(sizeBytes));
    const putting = store.put(stalling, { ...LIMIT, signal: controller.signal });
    while (unfinishedBytes() < sizeBytes) await setImmediate();
    controller.abort(new Error('too slow'));
    await expect(putting).rejects.toThrow(UploadInterruptedError);
    expect(stalling.destroyed).toBe(false);
    await nothingIsStored();
  });

  it('is interrupted by a signal that came before', async () => {
    await expect(store.put(generated(10), { ...LIMIT, signal: AbortSignal.abort() })).rejects.toThrow(
      UploadInterruptedError,
    );
    await nothingIsStored();
  });

  it('says that the storage failed when it is the storage', async () => {
    const file = join(root, 'no-folder');
    await writeFile(file, 'x');
    const broken = makeStore({ folder: { root: file } });
    await expect(broken.put(generated(5_000), LIMIT)).rejects.toThrow(StorageUnavailableError);
    await expect(broken.check()).rejects.toThrow(StorageUnavailableError);
  });

  it('survives a source that fails after it was refused', async () => {
    const source = generated(Infinity);
    await expect(store.put(source, { limitBytes: 10 })).rejects.toThrow(UploadTooLargeError);
    source.destroy(new Error('the client went away'));
    await closed(source);
    expect(source.errored).toMatchObject({ message: 'the client went away' });
  });
});

describe('an upload over HTTP', () => {
  it('can be answered after it was refused, and leaves nothing when its client goes away', async () => {
    const outcomes: Promise<string>[] = [];
    const server = createServer((upload: IncomingMessage, response) => {
      const outcome = store.put(upload, { limitBytes: 5 * MIB }).then(
        () => 'stored',
        (error: { code: string }) => error.code,
      );
      outcomes.push(outcome);
      void outcome.then((text) => response.writeHead(413, { connection: 'close' }).end(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const send = () => request({ port, host: '127.0.0.1', method: 'POST' }).on('error', () => undefined);

    const tooLarge = send();
    const answered = once(tooLarge, 'response') as Promise<[IncomingMessage]>;
    tooLarge.write(Buffer.alloc(6 * MIB));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    expect((await buffer(answer)).toString()).toBe('STORAGE_UPLOAD_TOO_LARGE');
    tooLarge.destroy();

    const gone = send();
    const arrived = once(server, 'request') as Promise<[IncomingMessage]>;
    gone.write(Buffer.alloc(MIB));
    const [upload] = await arrived;
    gone.destroy();
    await closed(upload);
    await outcomes[1];
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await Promise.all(outcomes)).toEqual(['STORAGE_UPLOAD_TOO_LARGE', 'STORAGE_UPLOAD_INTERRUPTED']);
    await nothingIsStored();
  });
});

describe('reading an object', () => {
  it('opens a range of a small and of a large one', async () => {
    for (const sizeBytes of [500, 2 * MIB]) {
      const bytes = randomBytes(sizeBytes);
      const object = await store.put(chunked(bytes), LIMIT);
      const read = await buffer(await store.open(object, { start: 100, end: 399 }));
      expect(read.equals(bytes.subarray(100, 400))).toBe(true);
    }
  });

  it('reads no more into memory than allowed', async () => {
    const object = await store.put(generated(2 * MIB), LIMIT);
    await expect(store.readAll(object, { maxBytes: MIB })).rejects.toThrow(StorageObjectTooLargeError);
    expect(await store.readAll(object, { maxBytes: 2 * MIB })).toHaveLength(2 * MIB);
  });

  it('waits as long as the latency says, and not longer than the signal', async () => {
    const slow = makeStore({ readLatencyMs: 60_000 });
    const object = await slow.put(chunked(Buffer.from('x')), LIMIT);
    const signal = AbortSignal.timeout(1);
    await expect(slow.readAll(object, { maxBytes: 1, signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('tells a missing object and a driver that is not set up apart', async () => {
    const key = randomUUID();
    await expect(store.open({ driver: 'folder', key })).rejects.toThrow(StorageObjectNotFoundError);
    await expect(store.open({ driver: 'postgres', key })).rejects.toThrow(StorageObjectNotFoundError);
    await expect(store.open({ driver: 's3', key })).rejects.toThrow(
      'The s3 storage cannot read: it is not set up',
    );
  });

  it('removes twice without complaint', async () => {
    const object = await store.put(generated(5_000), LIMIT);
    await store.remove(object);
    await store.remove(object);
    await expect(store.open(object)).rejects.toThrow(StorageObjectNotFoundError);
  });
});

describe('the object store in Nest', () => {
  it('is made of its two tokens, and closes its drivers', async () => {
    const options = parseStorageOptions({
      driver: 's3',
      folder: { root },
      s3: { bucket: 'files', endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const module = await Test.createTestingModule({
      providers: [
        ObjectStore,
        { provide: STORAGE_OPTIONS, useValue: options },
        {
          provide: STORAGE_DRIVERS,
          inject: [STORAGE_OPTIONS],
          useFactory: () => createStorageDrivers(options, database.dataSource),
        },
      ],
    }).compile();
    await module.init();
    await expect(module.get(ObjectStore).check()).rejects.toThrow(StorageUnavailableError);
    await module.close();
  });
});
