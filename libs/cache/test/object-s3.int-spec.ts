import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CacheOptionsError, ObjectStoreError, ObjectTooLargeError } from '../src/cache.errors.js';
import { S3Store, type S3StoreOptions } from '../src/object-store/s3/index.js';
import { objectStoreContract } from '../src/testing/object-store-contract.js';
import { runChild } from './object-children.js';
import { CREDENTIALS, startS3Server, type S3Server } from './object-s3-server.js';
import { until } from './until.js';

const MIB = 2 ** 20;
let server: S3Server;
let places = 0;
const opened: S3Store[] = [];

beforeAll(async () => {
  server = await startS3Server(['objects']);
});

afterEach(async () => {
  server.intercept();
  await Promise.all(opened.splice(0).map((it) => it.close()));
});

afterAll(() => server.stop());

const connection = (): S3StoreOptions => ({
  endpoint: server.endpoint,
  forcePathStyle: true,
  credentials: CREDENTIALS,
  bucket: 'objects',
  prefix: `place-${places++}/`,
});

function open(options: Partial<S3StoreOptions> = {}): S3Store {
  const store = new S3Store({ ...connection(), ...options });
  opened.push(store);
  return store;
}

describe('the S3 store keeps the contract: it', () => {
  for (const { title, run } of objectStoreContract((now) => new S3Store({ ...connection(), now }))) {
    it(title, run);
  }
});

describe('the S3 store', () => {
  it('sees only what is below its prefix', async () => {
    const [one, other] = [open(), open()];
    await one.put('k', Buffer.from('v'));
    expect(await other.get('k')).toBeUndefined();
    expect(await other.clear('')).toBe(0);
    expect(await one.head('k')).toMatchObject({ size: 1 });
  });

  it('keeps the beginning of a key readable, in names that any server takes', async () => {
    const names: string[] = [];
    server.intercept(({ method, url = '' }) => {
      if (method === 'PUT') names.push(decodeURIComponent(new URL(url, 'http://s3').pathname));
      return false;
    });
    const store = open();
    await store.put('entries/test/k:content:a/../b', Buffer.from('v'));
    await store.put('\u0000 ä'.repeat(1_000), Buffer.from('v'));
    expect(names[0]).toMatch(/\/entries%2Ftest%2Fk%3Acontent%3Aa%2F%2e%2e%2Fb~[0-9a-f]{64}$/);
    for (const name of names) expect(name).toMatch(/^[\w/%~-]{1,200}$/);
    expect(names).toHaveLength(2);
  });

  it('clears no prefix that is too long for the names', async () => {
    await expect(open().clear('x'.repeat(101))).rejects.toThrow(ObjectTooLargeError);
  });

  it('still reads what had to be kept after its time, until it is gone', async () => {
    let now = Date.now();
    const store = open({ now: () => now });
    await store.put('kept/g', Buffer.from('v'), {}, { ttlMs: 1_000 });
    now += 2_000;
    expect(await store.head('kept/g')).toMatchObject({ size: 1 });
  });

  it('asks once more when the server fails once, and fails with a typed error when it goes on', async () => {
    const store = open({ maxAttempts: 2 });
    await store.put('k', Buffer.from('v'));
    let failures = 1;
    server.intercept((_, response) => {
      if (failures-- <= 0) return false;
      response.writeHead(503).end();
      return true;
    });
    expect(await store.head('k')).toMatchObject({ size: 1 });
    failures = Infinity;
    await expect(store.get('k')).rejects.toThrow(ObjectStoreError);
    await expect(store.put('k', Buffer.from('w'))).rejects.toThrow('The s3 store can not write');
  });

  it('tells a bucket that is missing from an object that is', async () => {
    await expect(open({ bucket: 'no-such-bucket' }).get('k')).rejects.toThrow('The s3 store can not read');
  });

  it('ends a put at once when a part is refused, though the source has no more yet', async () => {
    const store = open({ maxAttempts: 1 });
    const source = new Readable({ read: () => undefined });
    server.intercept((request, response) => {
      if (!(request.url ?? '').includes('partNumber=')) return false;
      request.resume();
      response.writeHead(403).end();
      return true;
    });
    const put = store.put('k', source);
    source.push(Buffer.alloc(6 * MIB));
    await expect(put).rejects.toThrow(ObjectStoreError);
    expect(source.destroyed).toBe(true);
    server.intercept();
    await until(async () => (await server.openUploads('objects')).length === 0);
    expect(await store.get('k')).toBeUndefined();
  });

  it('does not take a body for whole when the connection breaks in the middle of it', async () => {
    const store = open();
    server.intercept((request, response) => {
      if (request.method !== 'GET') return false;
      response.writeHead(200, { 'content-length': 1_000_000, etag: '"e"' });
      response.write(Buffer.alloc(10_000), () => response.destroy());
      return true;
    });
    const found = await store.get('k');
    expect(found).toMatchObject({ size: 1_000_000 });
    await expect(typeof found === 'object' && buffer(found.body)).rejects.toThrow();
  });

  it('uses a client that was given, and leaves it open', async () => {
    const { bucket, prefix, endpoint, forcePathStyle } = connection();
    const client = new S3Client({
      region: 'us-east-1',
      ...(endpoint && { endpoint }),
      ...(forcePathStyle && { forcePathStyle }),
      credentials: CREDENTIALS,
    });
    const store = new S3Store({ bucket, client, ...(prefix !== undefined && { prefix }) });
    await store.put('k', Buffer.from('v'));
    await store.put('k', Readable.from([Buffer.from('of a stream')]));
    await store.close();
    expect(await store.head('k')).toMatchObject({ size: 11 });
    client.destroy();
  });

  it('names every problem of its options', () => {
    const wrong = { bucket: 'b', prefix: 'ä', partBytes: 1, endpoint: 'nowhere' };
    expect(() => new S3Store(wrong)).toThrow(CacheOptionsError);
    expect(() => new S3Store(wrong)).toThrow(/bucket[^]*prefix[^]*endpoint[^]*partBytes/);
  });

  it('takes constant memory for a stream of 101 MB through the tier', async () => {
    const options = { bytes: 101_000_000, compressible: false, s3: connection() };
    const result = await runChild<{ same: boolean; growthMiB: number }>('stream', options);
    expect(result.same).toBe(true);
    expect(result.growthMiB).toBeLessThan(80);
  }, 60_000);
});
