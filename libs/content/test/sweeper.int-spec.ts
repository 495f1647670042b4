import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ContentSweeper, FileService, ObjectStore, SearchService } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';

const DAY_MS = 86_400_000;

let content: ContentFixture;
let sweeper: ContentSweeper;
beforeAll(async () => {
  content = await ContentFixture.start({ sweepIntervalMs: DAY_MS });
  sweeper = content.get(ContentSweeper);
}, 60_000);
afterAll(() => content?.stop());

/** What a crash between the commit and the submission of the task leaves. */
async function loseTask(fileId: string, age: string): Promise<void> {
  await content.query(
    `UPDATE files SET status = 'pending', revision = revision + 1, updated_at = now() - $2::interval WHERE id = $1`,
    [fileId, age],
  );
  await content.query('DELETE FROM file_documents WHERE file_id = $1', [fileId]);
}

describe('the sweeper', () => {
  it('has a file extracted whose task was lost, and leaves what is pending for a short time alone', async () => {
    const workspace = await content.workspace();
    const [old, young] = [
      await content.upload(workspace, 'old.txt', 'a wolverine'),
      await content.upload(workspace, 'young.txt', 'a wolverine, too'),
    ];
    await content.extracted(workspace);
    await loseTask(old.file.id, '3 days');
    await loseTask(young.file.id, '1 day');
    // Several processes sweep at the same time.
    const found = await Promise.all([sweeper.resubmitExtractions(), sweeper.resubmitExtractions()]);
    expect(found).toEqual([1, 1]);
    const status = async (id: string) => (await content.get(FileService).get(workspace, id)).status;
    await until(async () => (await status(old.file.id)) === 'extracted');
    expect(await status(young.file.id)).toBe('pending');
    expect(await sweeper.resubmitExtractions()).toBe(0);
    const { items } = await content.get(SearchService).search(workspace, { query: 'wolverine', limit: 10 });
    expect(items.map((it) => it.path)).toEqual(['old.txt']);
  }, 60_000);

  it('releases contents that no file has referred to for an hour', async () => {
    const workspace = await content.workspace();
    const [old, young, used] = [
      await content.upload(workspace, 'old.bin', randomBytes(50_000)),
      await content.upload(workspace, 'young.bin', randomBytes(100)),
      await content.upload(workspace, 'used.bin', randomBytes(100)),
    ];
    await content.extracted(workspace);
    const unlink = `DELETE FROM file_storages WHERE file_id = ANY ($1)`;
    await content.query(unlink, [[old.file.id, young.file.id]]);
    await content.query(
      `UPDATE storage_resources SET created_at = now() - interval '2 hours' WHERE sha256 = ANY ($1)`,
      [[old.file.sha256, used.file.sha256]],
    );
    expect(await sweeper.releaseUnused()).toBe(1);
    const rows = (sha256: string) => content.count('storage_resources WHERE sha256 = $1', [sha256]);
    await until(async () => (await rows(old.file.sha256)) === 0);
    expect(await rows(young.file.sha256)).toBe(1);
    expect(await rows(used.file.sha256)).toBe(1);
    await until(async () => (await content.objects()).length === (await content.count('storage_resources')));
  }, 60_000);

  it('removes old objects that no row knows from every storage, and no others', async () => {
    const workspace = await content.workspace();
    const put = (sizeBytes: number) =>
      content.get(ObjectStore).put(Readable.from([randomBytes(sizeBytes)]), { limitBytes: 1e6 });
    const orphans = [await put(10), await put(50_000)];
    const young = [await put(10), await put(50_000)];
    for (const sizeBytes of [10, 50_000])
      await content.upload(workspace, `${sizeBytes}`, randomBytes(sizeBytes));
    const spared = new Set(young.map((it) => it.key));
    await content.query(
      `UPDATE storage_objects SET created_at = now() - interval '2 days' WHERE NOT key = ANY ($1)`,
      [[...spared]],
    );
    const twoDaysAgo = new Date(Date.now() - 2 * DAY_MS);
    for (const key of (await content.objects()).filter((it) => !spared.has(it))) {
      const path = join(content.deployment.folder, key.slice(0, 2), key.slice(2, 4), key);
      // Not there: it lies in the database.
      await utimes(path, twoDaysAgo, twoDaysAgo).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    const before = await content.objects();
    expect(await sweeper.removeOrphans(new Date(Date.now() - DAY_MS))).toBe(2);
    const gone = new Set(orphans.map((it) => it.key));
    expect(await content.objects()).toEqual(before.filter((it) => !gone.has(it)));
    expect(await sweeper.removeOrphans(new Date(Date.now() - DAY_MS))).toBe(0);
  }, 60_000);

  it('works by itself at its interval, and goes on after a failure', async () => {
    const workspace = await content.workspace();
    const { file } = await content.upload(workspace, 'again.txt', 'a mongoose');
    await content.extracted(workspace);
    await content.query('ALTER TABLE files RENAME TO files_away');
    const sibling = await content.sibling({ sweepIntervalMs: 20 });
    await sibling
      .get(ContentSweeper)
      .sweep()
      .catch((error: Error) => expect(error.message).toContain('files'));
    await content.query('ALTER TABLE files_away RENAME TO files');
    await loseTask(file.id, '3 days');
    await content.extracted(workspace);
    expect((await content.get(FileService).get(workspace, file.id)).status).toBe('extracted');
  }, 60_000);
});
