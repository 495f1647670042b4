import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SyncService } from '../src/index.js';
import { FolderTree } from '../src/sync/trees/folder-tree.js';
import type { SyncTree, TreeFile } from '../src/sync/trees/sync-tree.js';
import { ContentFixture } from './content-fixture.js';
import { SyncFixture } from './sync-fixture.js';

let content: ContentFixture;
beforeAll(async () => {
  content = await ContentFixture.start();
}, 60_000);
afterAll(() => content?.stop());

const fixture = () => SyncFixture.create(content);

async function firstOf(tree: SyncTree): Promise<TreeFile> {
  for await (const file of tree.list(() => undefined)) return file;
  throw new Error('There is no file');
}

describe('what is no file', () => {
  it('is skipped with a reason: links, loops, pipes, sockets, names', async () => {
    const it = await fixture();
    await it.writeAll({ 'good.txt': 'good', 'folder/inner.txt': 'inner' });
    const at = (name: string) => join(it.folder, name);
    await symlink(it.folder, at('loop'));
    await symlink('..', at('folder/parent'));
    await symlink('/etc/passwd', at('escape'));
    await symlink('nowhere', at('dangling'));
    await promisify(execFile)('mkfifo', [at('pipe')]);
    const socket = createServer().listen(at('socket'));
    await writeFile(at('back\\slash'), 'x');
    await writeFile(at('line\nbreak'), 'x');
    await writeFile(at('e\u0301'), 'decomposed');
    await writeFile(at('\u00e9'), 'composed');
    const { problems, state } = await it.sync({ deletes: true });
    socket.close();
    expect(state).toBe('completed');
    expect(Object.fromEntries(problems.map(({ path, reason }) => [path, reason]))).toEqual({
      loop: expect.stringContaining('symbolic link'),
      'folder/parent': expect.stringContaining('symbolic link'),
      escape: expect.stringContaining('symbolic link'),
      dangling: expect.stringContaining('symbolic link'),
      pipe: 'A pipe',
      socket: 'A socket',
      'back\\slash': expect.stringContaining('backslash'),
      'line\nbreak': expect.stringContaining('control character'),
      '\u00e9': expect.stringContaining('Unicode NFC'),
    });
    // Of two names that are one neither is taken: which would be chance.
    expect(Object.keys(await it.mirrored())).toEqual(['folder/inner.txt', 'good.txt']);
  }, 60_000);

  it('is no reason to delete what the workspace has in its place', async () => {
    const it = await fixture();
    await it.writeAll({ 'a/1': '1', 'b/2': '2', c: '3', keep: 'x' });
    await it.sync();
    for (const name of ['a', 'c']) await rename(join(it.folder, name), join(it.folder, `${name} away`));
    for (const name of ['a', 'c']) await symlink(`${name} away`, join(it.folder, name));
    await it.sync({ deletes: true });
    // The folder is a link now, what was in it is gone from there; a file behind a link is still something.
    expect(Object.keys(await it.mirrored())).toContain('c');
  }, 60_000);

  it.each(['/etc', '/', 'relative', 's3://not-ours/x', '', '/nonexistent', '/tmp\0/x'])(
    'is refused as a source, when it is not below a root: %j',
    async (source) => {
      const workspace = await content.workspace();
      const start = content.get(SyncService).start(workspace, { source, direction: 'import' });
      await expect(start).rejects.toMatchObject({ code: 'CONTENT_SYNC_SOURCE_REFUSED' });
    },
  );

  it('is refused as a source when a link or dots lead out of the root', async () => {
    const it = await fixture();
    await symlink(tmpdir(), join(it.folder, 'out'));
    for (const source of [
      join(it.folder, 'out'),
      `${content.deployment.syncRoot}/../`,
      `${content.deployment.syncRoot}-`,
    ])
      await expect(it.sync({ source })).rejects.toMatchObject({ code: 'CONTENT_SYNC_SOURCE_REFUSED' });
  });

  it('is not read through a link that takes the place of a folder after it was listed', async () => {
    const it = await fixture();
    await it.write('folder/a', 'mine');
    const tree = await FolderTree.open(it.folder, [it.folder]);
    const file = await firstOf(tree);
    await rename(join(it.folder, 'folder'), join(it.folder, 'moved'));
    await symlink(join(it.folder, 'moved'), join(it.folder, 'folder'));
    await expect(tree.open(file)).rejects.toThrow('changes while it is read');
  });

  it('and what cannot be read stops nothing, and nothing of it is deleted', async () => {
    const it = await fixture();
    await it.writeAll({ 'closed/a': '1', open: '2', secret: '3' });
    await it.sync();
    const isRoot = process.getuid?.() === 0;
    await chmod(join(it.folder, 'closed'), 0);
    const { problems, state } = await it.sync({ deletes: true });
    await chmod(join(it.folder, 'closed'), 0o755);
    expect(state).toBe('completed');
    // Nothing is closed to root.
    if (!isRoot) expect(problems).toEqual([{ path: 'closed/', kind: 'skipped', reason: 'Access is denied' }]);
    expect(Object.keys(await it.mirrored())).toEqual(['closed/a', 'open', 'secret']);
  }, 60_000);
});

describe('a file that is written to while it is read', () => {
  it('is no content of anything', async () => {
    const it = await fixture();
    await it.write('a', 'x'.repeat(2_000_000));
    const tree = await FolderTree.open(it.folder, [it.folder]);
    const file = await firstOf(tree);
    const body = await tree.open(file);
    const read = (async () => {
      let changed = false;
      for await (const chunk of body) {
        expect((chunk as Buffer).length).toBeGreaterThan(0);
        if (!changed) await appendFile(join(it.folder, 'a'), 'more');
        changed = true;
      }
    })();
    await expect(read).rejects.toThrow('changes while it is read');
  }, 60_000);

  it('is skipped and named by a sync that never finds it still, and taken by the next', async () => {
    const it = await fixture();
    await it.write('a', 'x'.repeat(3_000_000));
    const folder = content.drivers.get('folder');
    if (!folder) throw new Error('no folder storage');
    const write = folder.write.bind(folder);
    folder.write = async (...args) => {
      await appendFile(join(it.folder, 'a'), 'more');
      return write(...args);
    };
    const { problems } = await it.sync();
    folder.write = write;
    expect(problems).toEqual([
      { path: 'a', kind: 'skipped', reason: expect.stringContaining('changes while') },
    ]);
    expect(await it.mirrored()).toEqual({});
    expect((await it.sync()).counts).toMatchObject({ copied: 1 });
  }, 60_000);
});

describe('a workspace into a folder with links', () => {
  it('never writes through a link, nor over a folder', async () => {
    const it = await fixture();
    const outside = await SyncFixture.create(content);
    await outside.write('x', 'outside');
    await symlink(outside.folder, join(it.folder, 'link'));
    await mkdir(join(it.folder, 'folder'));
    for (const path of ['link/x', 'folder', 'file/below', 'file', 'fine'])
      await content.upload(it.workspace, path, 'inside');
    const { problems, state } = await it.sync({ direction: 'export', overwrites: true, deletes: true });
    expect(state).toBe('completed');
    expect(problems.map((it) => it.path)).toEqual(expect.arrayContaining(['folder', 'link', 'link/x']));
    expect(await outside.tree()).toEqual({ x: 'outside' });
    expect((await it.tree())['fine']).toBe('inside');
  }, 60_000);
});
