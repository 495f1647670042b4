import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@peregrine/database';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const FILES = 300;

/** Tells of every object that is stored, also of one that is removed again. */
const COUNT_OBJECTS = [
  'CREATE TABLE stored_objects (key uuid)',
  `CREATE FUNCTION count_stored() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN INSERT INTO stored_objects VALUES (NEW.key); RETURN NEW; END $$`,
  'CREATE TRIGGER count_stored AFTER INSERT ON storage_objects FOR EACH ROW EXECUTE FUNCTION count_stored()',
];

describe('syncs', () => {
  let platform: Platform;
  let root: string;
  let workspace: string;

  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'peregrine-sync-e2e-')));
    // One by one, so that there is time to kill the worker in the middle.
    platform = await Platform.start({
      env: { CONTENT_SYNC_ROOTS: root, CONTENT_SYNC_CONCURRENCY: '1' },
    });
    for (const sql of COUNT_OBJECTS) await query(sql);
  }, 120_000);
  afterAll(async () => {
    await platform?.stop();
    if (root) await rm(root, { recursive: true, force: true });
  });

  async function query<T>(sql: string): Promise<T[]> {
    const source = createDataSource({ url: platform.env['DATABASE_URL'] ?? '', poolMax: 1 });
    await source.initialize();
    try {
      return await source.query<T[]>(sql);
    } finally {
      await source.destroy();
    }
  }

  const admin = (method: string, path: string, body?: unknown) =>
    platform.request(method, `/workspaces/${workspace}/syncs${path}`, { key: platform.adminKey, body });
  const sync = async (id: string) => {
    const { body } = await platform.request('GET', `/workspaces/${workspace}/syncs/${id}`);
    return body as {
      endedAt: string | null;
      state: string;
      problems: unknown;
      counts: Record<string, number>;
    };
  };
  // A queue on PostgreSQL takes its time to give up a worker that died.
  const ended = (id: string) => until(async () => (await sync(id)).endedAt !== null, 180_000);

  it('go on where the worker was killed, and store nothing again that was stored', async () => {
    workspace = await platform.createWorkspace();
    const folder = await mkdtemp(join(root, 'killed-'));
    await mkdir(join(folder, 'sub'));
    for (let n = 0; n < FILES; n++)
      await writeFile(join(folder, n % 2 ? 'sub' : '', `${n}.txt`), `content ${n} of it`);
    const { status, body, headers } = await admin('POST', '', { source: folder });
    expect({ status, location: headers.get('location') }).toEqual({
      status: 202,
      location: `/api/v1/workspaces/${workspace}/syncs/${body.id}`,
    });
    expect((await admin('POST', '', { source: folder })).status).toBe(409);
    const files = async () => (await query<{ n: number }>('SELECT count(*)::int AS n FROM files'))[0]?.n ?? 0;
    await until(async () => (await files()) >= 20);
    await platform.workers[0]?.stop('SIGKILL');
    const atKill = await files();
    expect(atKill).toBeLessThan(FILES);
    const second = platform.spawn('worker');
    platform.workers.splice(0, 1, second);
    await second.listening();
    await ended(body.id as string);
    expect(await sync(body.id as string)).toMatchObject({
      state: 'completed',
      counts: { seen: FILES, skipped: 0 },
    });
    expect(await files()).toBe(FILES);
    const [stored] = await query<{ n: number }>('SELECT count(*)::int AS n FROM stored_objects');
    // The one that was on its way when the worker died may have been stored without its row.
    expect(stored?.n).toBeGreaterThanOrEqual(FILES);
    expect(stored?.n).toBeLessThanOrEqual(FILES + 1);
    const { counts } = await sync(body.id as string);
    expect(counts['copied']).toBeLessThanOrEqual(FILES - atKill + 1);
  }, 240_000);

  it('mirror both ways, on paper first; what a file was is nowhere any more', async () => {
    workspace = await platform.createWorkspace();
    const folder = await mkdtemp(join(root, 'both-'));
    await writeFile(join(folder, 'a.md'), '# Osprey');
    await symlink(folder, join(folder, 'loop'));
    const run = async (body: object) => {
      const { body: started } = await admin('POST', '', { source: folder, ...body });
      await ended(started.id as string);
      return sync(started.id as string);
    };
    expect(await run({ dryRun: true })).toMatchObject({
      state: 'completed',
      counts: { copied: 1, skipped: 1 },
    });
    expect((await platform.request('GET', `/workspaces/${workspace}/files`)).body.items).toEqual([]);
    expect((await run({})).problems).toEqual([
      { path: 'loop', kind: 'skipped', reason: expect.stringContaining('symbolic link') },
    ]);
    const { id } = (await platform.request('GET', `/workspaces/${workspace}/files`)).body.items[0];
    const html = async () =>
      (await platform.request('GET', `/workspaces/${workspace}/files/${id}/conversions/html`)).body as string;
    const found = async (word: string) =>
      (await platform.request('GET', `/workspaces/${workspace}/search?q=${word}`)).body.items
        .length as number;
    const content = async () =>
      (await platform.request('GET', `/workspaces/${workspace}/files/${id}/content`)).body as string;
    expect([await html(), await content()]).toEqual([expect.stringContaining('Osprey'), '# Osprey']);
    await until(async () => (await found('osprey')) === 1);
    await writeFile(join(folder, 'a.md'), '# A kestrel');
    expect((await run({})).counts).toMatchObject({ copied: 1 });
    // The worker has changed it; the api hears of it.
    await until(async () => (await content()) === '# A kestrel' && (await html()).includes('A kestrel'));
    await until(async () => (await found('osprey')) === 0 && (await found('kestrel')) === 1);

    await platform.upload(workspace, 'made here.txt', 'from the workspace');
    expect((await run({ direction: 'export' })).counts).toMatchObject({ copied: 1, equal: 1 });
    expect(await readFile(join(folder, 'made here.txt'), 'utf8')).toBe('from the workspace');
    expect((await readdir(folder)).toSorted()).toEqual(['a.md', 'loop', 'made here.txt']);
    const list = await platform.request('GET', `/workspaces/${workspace}/syncs?limit=2`);
    expect(list.body.items.map((it: { direction: string }) => it.direction)).toEqual(['export', 'import']);
  }, 120_000);

  it('are a command, too, which names what is not in step', async () => {
    workspace = await platform.createWorkspace();
    const folder = await mkdtemp(join(root, 'command-'));
    await writeFile(join(folder, 'a.txt'), 'from a command');
    const key = { BOOTSTRAP_ADMIN_KEY: platform.adminKey };
    const run = (...args: string[]) =>
      platform.run('tools/src/content-sync.ts', [...args, '--url', platform.url], key).ended();
    expect(await run(folder, workspace)).toMatchObject({
      code: 0,
      output: expect.stringContaining('copied 1'),
    });
    await symlink('a.txt', join(folder, 'link'));
    const second = await run(folder, workspace, '--dry-run', '--delete');
    expect(second).toMatchObject({
      code: 1,
      output: expect.stringContaining('skipped: link: A symbolic link'),
    });
    const refused = await run('/etc', workspace);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('CONTENT_SYNC_ROOTS') });
    expect((await run('--help')).output).toContain('Usage: npm run content:sync');
  }, 90_000);

  it('are for admins, of folders below the roots, and nothing else', async () => {
    workspace = await platform.createWorkspace();
    const start = (body: object, key = platform.adminKey) =>
      platform.request('POST', `/workspaces/${workspace}/syncs`, { key, body });
    expect((await start({ source: root }, platform.apiKey)).status).toBe(403);
    for (const source of ['/etc', `${root}/..`, 's3://bucket', 'relative', `${root}/missing`])
      expect(await start({ source })).toMatchObject({
        status: 400,
        body: { code: 'CONTENT_SYNC_SOURCE_REFUSED' },
      });
    for (const body of [{}, { source: root, direction: 'sideways' }, { source: root, other: 1 }])
      expect((await start(body)).status).toBe(400);
    const nobody = '00000000-0000-7000-8000-000000000000';
    expect((await admin('GET', `/${nobody}`)).status).toBe(404);
    expect((await admin('DELETE', `/${nobody}`)).status).toBe(404);
    const { body } = await start({ source: root, dryRun: true });
    await ended(body.id as string);
    expect(await admin('DELETE', `/${body.id}`)).toMatchObject({
      status: 409,
      body: { code: 'CONTENT_SYNC_ENDED' },
    });
  }, 60_000);
});
