import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  ContentSweeper,
  FileNotFoundError,
  FileService,
  FileUploadService,
  UploadInterruptedError,
  UploadTooLargeError,
  WorkspaceNotFoundError,
  WorkspaceService,
} from '../src/index.js';
import { ContentFixture } from './content-fixture.js';
import { interrupted, sha256 } from './storage-sources.js';

const TWENTY = Array.from({ length: 20 }, (_, index) => index);

let content: ContentFixture;
beforeAll(async () => {
  content = await ContentFixture.start();
}, 60_000);
afterAll(() => content?.stop());

/** Waits until the releases that are under way have come to an end. */
const released = () =>
  until(async () => (await content.objects()).join() === (await content.referredObjects()).join());

/** What the sweep of the next hour would do, now. */
async function sweepUnused(): Promise<void> {
  await content.query(`UPDATE storage_resources SET created_at = created_at - interval '2 hours'`);
  await content.get(ContentSweeper).releaseUnused();
}

describe('an upload', () => {
  it('of 20 callers to one path ends in one file with one of the contents, and leaves no other object', async () => {
    const workspace = await content.workspace();
    // Both storages: the database and the folder.
    const contents = TWENTY.map((index) => randomBytes(index % 2 ? 100 : 40_000));
    const uploads = await Promise.all(contents.map((it) => content.upload(workspace, 'same.bin', it)));
    expect(uploads.filter((it) => it.created)).toHaveLength(1);
    expect(uploads.map((it) => it.file.revision).sort((a, b) => a - b)).toEqual(TWENTY.map((it) => it + 1));
    expect(await content.count('files WHERE workspace_id = $1', [workspace])).toBe(1);
    const last = uploads.find((it) => it.file.revision === 20)?.file;
    const stored = await content.download(workspace, last?.id ?? '');
    expect(sha256(stored)).toBe(last?.sha256);
    expect(contents.some((it) => it.equals(stored))).toBe(true);
    await released();
    expect(await content.count('storage_resources')).toBe(1);
    expect(await content.objects()).toHaveLength(1);
  }, 60_000);

  it('of one content to 20 paths at once is stored once', async () => {
    const workspace = await content.workspace();
    const bytes = randomBytes(30_000);
    await Promise.all(TWENTY.map((index) => content.upload(workspace, `copy-${index}.bin`, bytes)));
    expect(await content.count('storage_resources WHERE sha256 = $1', [sha256(bytes)])).toBe(1);
    expect(
      await content.count(
        `file_storages s JOIN storage_resources r ON r.id = s.storage_resource_id WHERE r.sha256 = $1`,
        [sha256(bytes)],
      ),
    ).toBe(20);
    await released();
  }, 60_000);

  it('keeps a shared content until its last file is gone', async () => {
    const workspace = await content.workspace();
    const bytes = randomBytes(30_000);
    const [first, second] = [
      await content.upload(workspace, 'a.bin', bytes),
      await content.upload(workspace, 'b.bin', bytes),
    ];
    await content.get(FileService).delete(workspace, first.file.id);
    await released();
    expect((await content.download(workspace, second.file.id)).equals(bytes)).toBe(true);
    await content.get(FileService).delete(workspace, second.file.id);
    await until(
      async () => (await content.count('storage_resources WHERE sha256 = $1', [sha256(bytes)])) === 0,
    );
    await released();
  }, 60_000);

  it.each([
    ['small', 10],
    ['large', 100_000],
  ])('into no workspace stores nothing: %s', async (_, sizeBytes) => {
    const before = await content.objects();
    const bytes = randomBytes(sizeBytes);
    const upload = content.upload('00000000-0000-4000-8000-000000000000', 'a.bin', bytes);
    await expect(upload).rejects.toThrow(WorkspaceNotFoundError);
    expect(await content.objects()).toEqual(before);
    expect(await content.count('storage_resources WHERE sha256 = $1', [sha256(bytes)])).toBe(0);
  });

  it('whose transaction fails stores nothing, and leaves a content that others share alone', async () => {
    const workspace = await content.workspace();
    const shared = randomBytes(20_000);
    const kept = await content.upload(workspace, 'kept.bin', shared);
    await content.query(`ALTER TABLE files ADD CONSTRAINT refused CHECK (name <> 'refused.bin')`);
    const before = await content.objects();
    for (const bytes of [shared, randomBytes(20_000), randomBytes(10)]) {
      await expect(content.upload(workspace, 'refused.bin', bytes)).rejects.toThrow('refused');
    }
    await content.query('ALTER TABLE files DROP CONSTRAINT refused');
    expect(await content.objects()).toEqual(before);
    expect((await content.download(workspace, kept.file.id)).equals(shared)).toBe(true);
  });

  it('that breaks off or is too large changes nothing', async () => {
    const workspace = await content.workspace();
    const { file } = await content.upload(workspace, 'a.txt', 'before');
    await content.extracted(workspace);
    const before = await content.objects();
    const upload = (body: Readable, limitBytes: number) =>
      content.get(FileUploadService).upload(workspace, 'a.txt', body, { limitBytes });
    await expect(upload(interrupted(500_000), 1e9)).rejects.toThrow(UploadInterruptedError);
    await expect(upload(Readable.from([Buffer.alloc(50_000)]), 49_999)).rejects.toThrow(UploadTooLargeError);
    expect(await content.get(FileService).get(workspace, file.id)).toMatchObject({
      sha256: file.sha256,
      revision: 1,
    });
    expect(await content.objects()).toEqual(before);
  });

  it('of the same content again is no new revision, but with another media type its text is read anew', async () => {
    const workspace = await content.workspace();
    const first = await content.upload(workspace, 'notes', 'wombat', 'image/png');
    await content.extracted(workspace);
    const status = async () => (await content.get(FileService).get(workspace, first.file.id)).status;
    expect(await status()).toBe('skipped');
    expect((await content.upload(workspace, 'notes', 'wombat', 'image/png')).file).toMatchObject({
      revision: 1,
      status: 'skipped',
    });
    const typed = await content.upload(workspace, 'notes', 'wombat', 'text/plain');
    expect(typed).toMatchObject({
      created: false,
      file: { revision: 2, status: 'pending', statusDetail: null },
    });
    await content.extracted(workspace);
    expect(await status()).toBe('extracted');
  }, 60_000);

  it('and a delete of the same file at once leave the new file or none', async () => {
    const workspace = await content.workspace();
    for (let round = 0; round < 30; round++) {
      const { file } = await content.upload(workspace, 'busy.bin', randomBytes(20_000));
      const bytes = randomBytes(20_000);
      const deletion = () => content.get(FileService).delete(workspace, file.id);
      const upload = () => content.upload(workspace, 'busy.bin', bytes);
      const [, uploaded] =
        round % 2
          ? await Promise.all([deletion(), upload()])
          : (await Promise.all([upload(), deletion()])).reverse();
      const { id } = (uploaded as Awaited<ReturnType<typeof upload>>).file;
      const there = await content.count('files WHERE workspace_id = $1', [workspace]);
      if (there) expect((await content.download(workspace, id)).equals(bytes)).toBe(true);
      else await expect(content.download(workspace, id)).rejects.toThrow(FileNotFoundError);
    }
    await sweepUnused();
    await released();
  }, 60_000);
});

describe('a workspace', () => {
  it('that is deleted while files arrive ends without a file, a row or an object', async () => {
    for (let round = 0; round < 5; round++) {
      const workspace = await content.workspace();
      await content.upload(workspace, 'old.bin', randomBytes(100));
      const uploads = TWENTY.map(async (index) => {
        try {
          await content.upload(workspace, `${index % 7}.bin`, randomBytes(index % 2 ? 100 : 20_000));
        } catch (error) {
          expect(error).toBeInstanceOf(WorkspaceNotFoundError);
        }
      });
      await Promise.all([...uploads, content.get(WorkspaceService).delete(workspace)]);
      expect(await content.count('files WHERE workspace_id = $1', [workspace])).toBe(0);
    }
    await sweepUnused();
    await released();
  }, 60_000);

  it('that is deleted while it is renamed does not come back', async () => {
    const workspaces = content.get(WorkspaceService);
    for (let round = 0; round < 20; round++) {
      const workspace = await content.workspace();
      const renaming = workspaces.rename(workspace, 'new').catch((error: unknown) => {
        expect(error).toBeInstanceOf(WorkspaceNotFoundError);
      });
      await Promise.all([renaming, workspaces.delete(workspace)]);
      await expect(workspaces.get(workspace)).rejects.toThrow(WorkspaceNotFoundError);
    }
  });
});
