import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ContentFixture } from './content-fixture.js';
import { CommitCutter } from './commit-cutter.js';

let cutter: CommitCutter;
let content: ContentFixture;
beforeAll(async () => {
  cutter = await CommitCutter.start(process.env['DATABASE_URL'] ?? '');
  content = await ContentFixture.start({ worker: false, databaseUrl: (direct) => cutter.url(direct) });
}, 60_000);
afterAll(async () => {
  await content?.stop();
  await cutter?.stop();
});

describe('an upload whose commit was done but not confirmed', () => {
  it.each([
    ['in the database', 100],
    ['in the folder', 50_000],
  ])('fails, and keeps the content that the file now refers to: %s', async (_, sizeBytes) => {
    const workspace = await content.workspace();
    const bytes = randomBytes(sizeBytes);
    cutter.arm('INSERT INTO files');
    await expect(content.upload(workspace, 'a.bin', bytes)).rejects.toThrow();
    const [file] = await content.query<{ id: string }>('SELECT id FROM files WHERE workspace_id = $1', [
      workspace,
    ]);
    expect((await content.download(workspace, file?.id ?? '')).equals(bytes)).toBe(true);
    // Doing it again is harmless.
    expect(await content.upload(workspace, 'a.bin', bytes)).toMatchObject({
      created: false,
      file: { revision: 1 },
    });
    expect(await content.objects()).toEqual(await content.referredObjects());
  });
});
