import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createS3Client } from '../src/storage/s3-storage.js';
import { s3ConnectionSchema } from '../src/storage/storage.options.js';
import { ContentFixture } from './content-fixture.js';
import { BUCKET, CREDENTIALS, type S3Server, startS3Server } from './storage-s3-server.js';
import { SyncFixture } from './sync-fixture.js';

const source = `s3://${BUCKET}/documents/`;

describe('a bucket', () => {
  let server: S3Server;
  let client: S3Client;
  let content: ContentFixture;
  beforeAll(async () => {
    server = await startS3Server();
    const connection = s3ConnectionSchema.parse({
      endpoint: server.endpoint,
      forcePathStyle: true,
      ...CREDENTIALS,
    });
    client = createS3Client(connection);
    content = await ContentFixture.start({ s3: { bucket: BUCKET, ...connection } });
  }, 60_000);
  afterAll(async () => {
    client?.destroy();
    await content?.stop();
    await server?.stop();
  });

  const put = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));

  it('is mirrored below a prefix, both ways, and only what changed is read', async () => {
    const it = await SyncFixture.create(content);
    await put('elsewhere/x', 'not ours');
    for (const name of ['a.txt', 'deep/er/b.txt', 'a/c.txt'])
      await put(`documents/${name}`, `content of ${name}`);
    await put('documents/back\\slash', 'x');
    const first = await it.sync({ source });
    expect(first).toMatchObject({ state: 'completed', expected: 4, counts: { copied: 3, skipped: 1 } });
    expect(first.problems).toMatchObject([{ path: 'back\\slash', kind: 'skipped' }]);
    expect(Object.keys(await it.mirrored())).toEqual(['a.txt', 'a/c.txt', 'deep/er/b.txt']);

    await put('documents/a.txt', 'another');
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'documents/a/c.txt' }));
    expect((await it.sync({ source, deletes: true })).counts).toMatchObject({
      copied: 1,
      deleted: 1,
      equal: 1,
    });
    await content.upload(it.workspace, 'made here.txt', 'from the workspace');
    const back = await it.sync({ source, direction: 'export' });
    expect(back.counts).toMatchObject({ copied: 1, equal: 2 });
    expect((await it.sync({ source })).counts).toMatchObject({ copied: 0, equal: 3 });
  }, 90_000);

  it('that is not named in the options is refused, at any server', async () => {
    const it = await SyncFixture.create(content);
    await expect(it.sync({ source: 's3://other-bucket/' })).rejects.toMatchObject({
      code: 'CONTENT_SYNC_SOURCE_REFUSED',
    });
  });

  it('whose server fails ends the sync as failed, after it was tried again', async () => {
    const it = await SyncFixture.create(content);
    await put('documents/a.txt', 'again');
    let refused = 0;
    server.intercept((request, response) => {
      if (request.method !== 'GET' || refused >= 8) return false;
      refused++;
      response.writeHead(503).end();
      return true;
    });
    const { state } = await it.sync({ source });
    server.intercept(undefined);
    expect({ state, refused }).toEqual({ state: 'completed', refused: 8 });
  }, 120_000);
});
