import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { DataSource, type QueryRunner } from 'typeorm';
import { FileService } from '../src/index.js';
import { StorageReleaseService } from '../src/storage-release/storage-release.service.js';
import { ContentFixture } from './content-fixture.js';
import { sha256 } from './storage-sources.js';

const ROUNDS = 100;

let content: ContentFixture;
let workspace: string;
beforeAll(async () => {
  // Without a worker only the tests release.
  content = await ContentFixture.start({ worker: false });
  workspace = await content.workspace();
}, 60_000);
afterAll(() => content?.stop());

const release = (resourceId: string) => content.get(StorageReleaseService).release([resourceId]);

/** A content that is stored, and that no file refers to any more. */
async function unusedContent(sizeBytes: number): Promise<{ bytes: Buffer; resourceId: string }> {
  const bytes = randomBytes(sizeBytes);
  const { file } = await content.upload(workspace, 'first.bin', bytes);
  await content.get(FileService).delete(workspace, file.id);
  const [resource] = await content.query<{ id: string }>(
    'SELECT id FROM storage_resources WHERE sha256 = $1',
    [sha256(bytes)],
  );
  return { bytes, resourceId: resource?.id ?? '' };
}

async function expectWhole(fileId: string, bytes: Buffer): Promise<void> {
  expect((await content.download(workspace, fileId)).equals(bytes)).toBe(true);
  expect(await content.objects()).toEqual(await content.referredObjects());
}

/** Runs `work` between a statement of another connection and its commit. */
async function during(
  sql: string,
  parameter: string,
  work: (held: QueryRunner) => Promise<void>,
): Promise<void> {
  const held = content.get(DataSource).createQueryRunner();
  try {
    await held.startTransaction();
    await held.query(sql, [parameter]);
    await work(held);
  } finally {
    if (held.isTransactionActive) await held.rollbackTransaction();
    await held.release();
  }
}

/** Waits until so many statements of this database wait for a lock. */
const waiting = (statements: number) =>
  until(async () => {
    const n = await content.count(
      `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return n === statements;
  });

describe('releasing a content while an upload of the same content arrives', () => {
  it(`never loses the content, in ${ROUNDS} rounds of either order`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { bytes, resourceId } = await unusedContent(round % 2 ? 100 : 20_000);
      const upload = async () => (await content.upload(workspace, 'second.bin', bytes)).file;
      const later = async <T>(work: () => Promise<T>) => {
        for (let turn = 0; turn < round % 11; turn++) await setImmediate();
        return work();
      };
      const [, file] =
        round % 4 < 2
          ? await Promise.all([release(resourceId), later(upload)])
          : await Promise.all([later(() => release(resourceId)), upload()]);
      await expectWhole(file.id, bytes);
      await content.get(FileService).delete(workspace, file.id);
      const [left] = await content.query<{ id: string }>('SELECT id FROM storage_resources');
      await release(left?.id ?? resourceId);
    }
  }, 120_000);

  it('keeps it when the upload claimed it first', async () => {
    const { bytes, resourceId } = await unusedContent(20_000);
    let upload: Promise<{ file: { id: string } }> | undefined;
    let removal: Promise<number> | undefined;
    // The upload has claimed the content and waits for its workspace; the release then waits for the upload.
    await during('SELECT FROM workspaces WHERE id = $1 FOR UPDATE', workspace, async (held) => {
      upload = content.upload(workspace, 'claimed.bin', bytes);
      await waiting(1);
      removal = release(resourceId);
      await waiting(2);
      await held.commitTransaction();
    });
    expect(await removal).toBe(0);
    await expectWhole((await upload)?.file.id ?? '', bytes);
  });

  it('stores it anew when the release was first', async () => {
    const { bytes, resourceId } = await unusedContent(20_000);
    let upload: Promise<{ file: { id: string } }> | undefined;
    await during('DELETE FROM storage_resources WHERE id = $1', resourceId, async (held) => {
      upload = content.upload(workspace, 'anew.bin', bytes);
      await waiting(1);
      await held.commitTransaction();
    });
    const id = (await upload)?.file.id ?? '';
    expect((await content.download(workspace, id)).equals(bytes)).toBe(true);
    expect(
      await content.count('file_storages WHERE file_id = $1 AND storage_resource_id = $2', [id, resourceId]),
    ).toBe(0);
  });
});
