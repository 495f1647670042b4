import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { TaskQueue } from '@peregrine/task-queue';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { SearchService, SyncService, syncStorage, taskIdOf } from '../src/index.js';
import { SyncStorageHandler } from '../src/sync/sync-storage.handler.js';
import { ContentFixture } from './content-fixture.js';
import { SyncFixture } from './sync-fixture.js';

let content: ContentFixture;
beforeAll(async () => {
  content = await ContentFixture.start();
}, 60_000);
afterAll(() => content?.stop());

const fixture = () => SyncFixture.create(content);
const writes = () => [...content.drivers.values()].reduce((sum, it) => sum + it.writes, 0);

/** The statements of this process while something is done. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const source = content.get(DataSource);
  const { logger } = source;
  const nothing = () => undefined;
  source.logger = {
    logQuery: (sql) => void seen.push(sql),
    ...{
      logQueryError: nothing,
      logQuerySlow: nothing,
      logSchemaBuild: nothing,
      logMigration: nothing,
      log: nothing,
    },
  };
  try {
    await work();
  } finally {
    source.logger = logger;
  }
  return seen;
}

describe('a folder into a workspace', () => {
  it('is there as it is, with its deep, empty, odd and equal files, and can be searched', async () => {
    const it = await fixture();
    const files = {
      'a.txt': 'an aardvark',
      'a/b/c/d/e.md': '# a bandicoot',
      'a-b.txt': 'sorted between',
      'a/b.txt': 'sorted behind',
      empty: '',
      'twice 1.txt': 'the same',
      'twice 2.txt': 'the same',
      'ünï/日本 %20.txt': 'names',
      '.hidden': 'also a file',
      'large.bin': 'x'.repeat(300_000),
    };
    await it.writeAll(files);
    const { state, counts, problems, expected } = await it.sync();
    expect({ state, problems, expected }).toEqual({ state: 'completed', problems: [], expected: 10 });
    expect(counts).toMatchObject({ seen: 10, copied: 10, copiedBytes: Object.values(files).join('').length });
    expect(await it.mirrored()).toEqual(files);
    await content.extracted(it.workspace);
    const search = () => content.get(SearchService).search(it.workspace, { query: 'bandicoot', limit: 5 });
    await until(async () => (await search()).items[0]?.path === 'a/b/c/d/e.md');
    await it.write('a/b/c/d/e.md', '# a wombat');
    expect((await it.sync()).counts).toMatchObject({ copied: 1, equal: 9 });
    await content.extracted(it.workspace);
    await until(async () => (await search()).items.length === 0);
  }, 90_000);

  it('of 2,000 files of which 1 % changed touches only those', async () => {
    const it = await fixture();
    for (let n = 0; n < 2_000; n++) await it.write(`${n % 40}/file ${n}.dat`, `content ${n}`);
    expect((await it.sync()).counts.copied).toBe(2_000);
    await content.extracted(it.workspace);
    for (let n = 0; n < 20; n++) await it.write(`${n}/file ${n + 40}.dat`, `changed ${n}`);
    const before = { writes: writes(), reads: content.drivers.get('folder')?.reads.size };
    const statements = await statementsOf(async () => {
      expect((await it.sync()).counts).toMatchObject({ seen: 2_000, copied: 20, equal: 1_980 });
    });
    expect(writes() - before.writes).toBe(20);
    expect(content.drivers.get('folder')?.reads.size).toBe(before.reads);
    // A page of 1,000 is a statement, of files and of what was in step; each file that changed is stored by a dozen.
    const touching = (table: string) => statements.filter((sql) => sql.includes(table));
    expect(touching('FROM storage_sync_entries').length).toBeLessThanOrEqual(3);
    expect(touching('INSERT INTO files ').length).toBe(20);
    // Nothing that would be one for each file.
    expect(statements.length).toBeLessThan(1_000);
  }, 240_000);

  it('looks into files whose time changed, and copies none that has the same content', async () => {
    const it = await fixture();
    await it.writeAll({ a: 'one', b: 'two' });
    await it.sync();
    const before = writes();
    await it.writeAll({ a: 'one', b: 'TWO' });
    expect((await it.sync()).counts).toMatchObject({ copied: 1, equal: 1 });
    expect(writes() - before).toBe(1);
  }, 60_000);

  it('does not trust the time of a file that was written to just now', async () => {
    const it = await fixture();
    await writeFile(join(it.folder, 'a'), 'one');
    await it.sync();
    const [entry] = await content.query(
      `SELECT e.is_settled FROM storage_sync_entries e JOIN storage_sync_pairs p ON p.id = e.pair_id
        WHERE p.workspace_id = $1`,
      [it.workspace],
    );
    expect(entry).toEqual({ is_settled: false });
  }, 60_000);

  it('deletes only when it is asked to, and nothing at all for a folder that has become empty', async () => {
    const it = await fixture();
    await it.writeAll({ a: '1', b: '2' });
    await it.sync();
    await it.remove('b');
    expect((await it.sync()).counts).toMatchObject({ extra: 1, deleted: 0 });
    expect((await it.sync({ deletes: true, dryRun: true })).counts).toMatchObject({ deleted: 1 });
    expect(Object.keys(await it.mirrored())).toEqual(['a', 'b']);
    expect((await it.sync({ deletes: true })).counts).toMatchObject({ deleted: 1, equal: 1 });
    expect(await it.mirrored()).toEqual({ a: '1' });
    await it.remove('a');
    const empty = await it.sync({ deletes: true });
    expect(empty).toMatchObject({ state: 'failed', error: expect.stringContaining('has no files') });
    expect(await it.mirrored()).toEqual({ a: '1' });
  }, 60_000);

  it('changes nothing when it is only tried', async () => {
    const it = await fixture();
    await it.writeAll({ a: '1', b: '2' });
    expect((await it.sync({ dryRun: true })).counts).toMatchObject({ copied: 2 });
    expect(await it.mirrored()).toEqual({});
    expect((await it.sync()).counts).toMatchObject({ copied: 2 });
  }, 60_000);

  it('names what was changed on both sides, and keeps it unless it may be overwritten', async () => {
    const it = await fixture();
    await it.writeAll({ a: '1', b: '2', c: '3' });
    await content.upload(it.workspace, 'mine', 'never in the folder');
    await it.sync();
    await it.writeAll({ a: 'from the folder' });
    await it.remove('c');
    for (const path of ['a', 'b', 'c']) await content.upload(it.workspace, path, `mine ${path}`);
    const kept = await it.sync({ deletes: true });
    expect(kept.problems.map(({ path, kind }) => `${path} ${kind}`)).toEqual(
      ['a', 'b', 'c', 'mine'].map((path) => `${path} conflict`),
    );
    expect(await it.mirrored()).toMatchObject({ a: 'mine a', b: 'mine b', c: 'mine c' });
    await it.sync({ deletes: true, overwrites: true });
    expect(await it.mirrored()).toEqual({ a: 'from the folder', b: '2' });
  }, 60_000);
});

describe('a workspace into a folder', () => {
  it('is there as it is, again and again, and what was deleted goes when that is asked for', async () => {
    const it = await fixture();
    const files = { 'a.txt': 'a', 'deep/er/b.txt': 'b', 'large.bin': 'y'.repeat(3_000_000), empty: '' };
    for (const [path, text] of Object.entries(files)) await content.upload(it.workspace, path, text);
    expect((await it.sync({ direction: 'export' })).counts).toMatchObject({ copied: 4 });
    expect(await it.tree()).toEqual(files);
    expect((await it.sync({ direction: 'export' })).counts).toMatchObject({ copied: 0, equal: 4 });
    expect((await it.sync()).counts).toMatchObject({ copied: 0, equal: 4 });
    const [row] = await content.query<{ id: string }>(
      `SELECT id FROM files WHERE workspace_id = $1 AND path = $2`,
      [it.workspace, 'deep/er/b.txt'],
    );
    await content.query('DELETE FROM files WHERE id = $1', [row?.id]);
    expect((await it.sync({ direction: 'export', deletes: true })).counts).toMatchObject({ deleted: 1 });
    expect(Object.keys(await it.tree())).toEqual(['a.txt', 'empty', 'large.bin']);
  }, 60_000);
});

describe('two syncs of one pair', () => {
  it('are not at work at once, and a cancelled or lost one bars nobody', async () => {
    const it = await fixture();
    await it.write('a', '1');
    const service = content.get(SyncService);
    const queue = content.get(TaskQueue);
    await queue.pause();
    try {
      const wish = { source: it.folder, direction: 'import' as const };
      const started = await Promise.allSettled([
        service.start(it.workspace, wish),
        service.start(it.workspace, wish),
      ]);
      const refused = started.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown);
      expect(refused).toEqual([expect.objectContaining({ code: 'CONTENT_SYNC_RUNNING' })]);
      const back = service.start(it.workspace, { ...wish, source: `${it.folder}/`, direction: 'export' });
      await expect(back).rejects.toMatchObject({ code: 'CONTENT_SYNC_RUNNING' });
      const open = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []))[0] ?? '';
      expect(await service.cancel(it.workspace, open)).toMatchObject({ state: 'cancelled' });
      await expect(service.cancel(it.workspace, open)).rejects.toMatchObject({ code: 'CONTENT_SYNC_ENDED' });

      const lost = await service.start(it.workspace, wish);
      await queue.cancel(syncStorage, taskIdOf(it.workspace, lost.id));
      await service.start(it.workspace, wish);
      expect(await service.get(it.workspace, lost.id)).toMatchObject({ state: 'failed', error: /lost/ });
    } finally {
      await queue.resume();
    }
  }, 60_000);

  it('where a worker was thought dead, leave the older attempt without a word', async () => {
    const it = await fixture();
    await it.writeAll({ a: '1', b: '2' });
    const { id } = await it.sync({ dryRun: true });
    await content.query(
      `UPDATE storage_syncs SET ended_at = NULL, state = 'running', fence = 9, dry_run = false WHERE id = $1`,
      [id],
    );
    const ctx = {
      ...{ id: 'test', attempt: 1, fence: 8, signal: new AbortController().signal },
      ...{ progress: () => Promise.resolve(), log: () => Promise.resolve() },
      completeInTransaction: () => Promise.resolve(),
    };
    expect(await content.get(SyncStorageHandler).execute({ syncId: id }, ctx)).toBeNull();
    expect(await it.mirrored()).toEqual({});
    await content.get(SyncService).cancel(it.workspace, id);
  }, 60_000);
});
