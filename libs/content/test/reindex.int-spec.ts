import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { TaskQueue } from '@peregrine/task-queue';
import { reindexWorkspace, SearchService } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';

const WAIT = { timeoutMs: 40_000 };

describe('reindexing a workspace', () => {
  let content: ContentFixture;
  beforeAll(async () => {
    content = await ContentFixture.start();
  }, 60_000);
  afterAll(() => content?.stop());

  const statuses = (workspaceId: string) =>
    content.query<{ path: string; status: string; revision: number }>(
      'SELECT path, status, revision FROM files WHERE workspace_id = $1 ORDER BY path',
      [workspaceId],
    );
  const reindex = async (payload: { workspaceId: string; onlyFailed?: boolean }) => {
    const queue = content.get(TaskQueue);
    const { id } = await queue.submit(reindexWorkspace, payload);
    const result = await queue.waitFor(reindexWorkspace, id, WAIT);
    await content.extracted(payload.workspaceId);
    return result;
  };

  it('reads every text anew, page by page, and no other workspace', async () => {
    const [workspaceId, other] = [await content.workspace(), await content.workspace()];
    await content.upload(other, 'other.txt', 'untouched');
    await content.upload(workspaceId, 'first.txt', 'forgotten words');
    await content.extracted(workspaceId);
    await content.extracted(other);
    // More than fit a page; what is in them is the same.
    await content.query(
      `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       SELECT gen_random_uuid(), workspace_id, 'more/' || n, name, media_type, size_bytes, sha256, 'skipped'
         FROM files, generate_series(1, 1200) AS n WHERE path = 'first.txt'`,
    );
    await content.query(
      `INSERT INTO file_storages (file_id, storage_resource_id)
       SELECT more.id, s.storage_resource_id FROM files more
         JOIN files f ON f.path = 'first.txt' JOIN file_storages s ON s.file_id = f.id
        WHERE more.path LIKE 'more/%'`,
    );
    await content.query(`DELETE FROM file_documents`);

    expect(await reindex({ workspaceId })).toEqual({ files: 1_201 });
    const files = await statuses(workspaceId);
    expect(files.filter((it) => it.status !== 'extracted' || it.revision !== 2)).toEqual([]);
    expect(await statuses(other)).toEqual([{ path: 'other.txt', status: 'extracted', revision: 1 }]);
    const { items } = await content.get(SearchService).search(workspaceId, { query: 'forgotten', limit: 10 });
    expect(items).toHaveLength(10);
  }, 60_000);

  it('touches no file whose extraction it cannot submit', async () => {
    const workspaceId = await content.workspace();
    await content.upload(workspaceId, 'a.txt', 'as before');
    await content.extracted(workspaceId);
    const queue = content.get(TaskQueue);
    await content.query('ALTER TABLE task_outbox RENAME TO task_outbox_away');
    const { id } = await queue.submit(reindexWorkspace, { workspaceId });
    await until(async () => (await queue.explain(reindexWorkspace, id)).reason === 'retrying');
    expect(await statuses(workspaceId)).toEqual([{ path: 'a.txt', status: 'extracted', revision: 1 }]);
    await content.query('ALTER TABLE task_outbox_away RENAME TO task_outbox');
    expect(await queue.waitFor(reindexWorkspace, id, WAIT)).toEqual({ files: 1 });
    await content.extracted(workspaceId);
    expect(await statuses(workspaceId)).toEqual([{ path: 'a.txt', status: 'extracted', revision: 2 }]);
  }, 60_000);

  it('takes only what failed, when it is asked to, and nothing where there is nothing', async () => {
    const workspaceId = await content.workspace();
    await content.upload(workspaceId, 'a.txt', 'well');
    await content.upload(workspaceId, 'b.txt', 'broken once');
    await content.extracted(workspaceId);
    await content.query(`UPDATE files SET status = 'failed' WHERE workspace_id = $1 AND path = 'b.txt'`, [
      workspaceId,
    ]);
    expect(await reindex({ workspaceId, onlyFailed: true })).toEqual({ files: 1 });
    expect(await statuses(workspaceId)).toEqual([
      { path: 'a.txt', status: 'extracted', revision: 1 },
      { path: 'b.txt', status: 'extracted', revision: 2 },
    ]);
    expect(await reindex({ workspaceId: await content.workspace() })).toEqual({ files: 0 });
  });
});
