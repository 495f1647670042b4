import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, it, jest } from '@jest/globals';

import {
  allGone,
  descendantsOf,
  isRoot,
  ordinaryUser,
  StartRun,
  statusOf,
  type User,
} from './start-fixture.ts';

jest.setTimeout(180_000);

const users: [string, User][] = isRoot
  ? [
      ['root', {}],
      ['an ordinary user', ordinaryUser],
    ]
  : [['an ordinary user', {}]];

describe('npm start', () => {
  const runs: StartRun[] = [];
  const ready = async (...args: Parameters<typeof StartRun.ready>) => {
    const run = await StartRun.ready(...args);
    runs.push(run);
    return run;
  };

  afterEach(async () => {
    // One after the other, the newest first: runs may share a folder, which goes with the first that is over.
    for (const run of runs.splice(0).reverse()) await run.cleanUp();
  });

  it.each(users)(
    'serves, describes itself, and leaves no process behind after SIGTERM, as %s',
    async (_, user) => {
      const run = await ready({ user, args: ['--workers', '2'] });
      const dev = await run.dev();
      expect(dev).toEqual({
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        apiKey: expect.stringMatching(/^pgn_[\w-]{43}$/),
        adminKey: expect.stringMatching(/^pgn_[\w-]{43}$/),
        databaseUrl: expect.stringMatching(/^postgres:\/\//),
        redisUrl: expect.stringMatching(/^redis:\/\//),
        processes: expect.any(Array),
      });
      expect(dev.processes.map(({ name }) => name)).toEqual([
        'start',
        'api',
        'worker-1',
        'worker-2',
        'postgres',
        'redis',
      ]);
      expect((await stat(join(run.folder, 'dev.json'))).mode & 0o777).toBe(0o600);
      expect(await statusOf(`${dev.url}/health/ready`)).toBe(200);
      expect(await statusOf(`${dev.url}/api/v1/workspaces`, dev.apiKey)).toBe(200);

      const others = await descendantsOf(run.pid);
      expect(others.length).toBeGreaterThanOrEqual(5);
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
      await allGone(others);
      await expect(stat(join(run.folder, 'dev.json'))).rejects.toThrow('ENOENT');
    },
  );

  it('leaves no process behind when it is killed, and starts again with the same keys and data', async () => {
    const killed = await ready();
    const { apiKey, adminKey, url } = await killed.dev();
    const id = await createWorkspace(url, apiKey);
    const others = await descendantsOf(killed.pid);
    killed.child.kill('SIGKILL');
    await killed.ended;

    const next = await ready({ folder: killed.folder });
    await allGone(others);
    const dev = await next.dev();
    expect([dev.apiKey, dev.adminKey]).toEqual([apiKey, adminKey]);
    expect(await statusOf(`${dev.url}/api/v1/workspaces/${id}`, apiKey)).toBe(200);
  });

  it('brings back each process that is killed, on the same address and with its data', async () => {
    const run = await ready();
    const { url, apiKey, databaseUrl, redisUrl } = await run.dev();
    const id = await createWorkspace(url, apiKey);
    // One goes to the database, the other to the folder.
    const contents = ['small', 'large '.repeat(10_000)];
    const files = await Promise.all(contents.map((it) => upload(url, apiKey, id, it)));
    for (const name of ['api', 'worker-1', 'postgres', 'redis']) await run.killAndAwaitRestart(name);
    await run.until(async () => (await statusOf(`${url}/health/ready`)) === 200);
    await run.until(async () => (await statusOf(`${url}/api/v1/workspaces/${id}`, apiKey)) === 200);
    expect(await Promise.all(files.map((it) => download(it, apiKey)))).toEqual(contents);
    expect(await run.dev()).toMatchObject({ url, databaseUrl, redisUrl });
    expect(run.output).toContain('postgres ended: killed by SIGKILL. It is started again in 1 s.');
  });

  it('does not wait for work in flight at a second request to stop', async () => {
    const run = await ready({ environment: { SHUTDOWN_DRAIN_MS: '600000', SHUTDOWN_TIMEOUT_MS: '700000' } });
    const others = await descendantsOf(run.pid);
    // Requests that follow each other within a second count as one.
    const impatience = setInterval(() => {
      if (run.output.includes('Everything is stopped')) clearInterval(impatience);
      else run.child.kill('SIGINT');
    }, 200);
    expect(await run.ended).toBe(130);
    clearInterval(impatience);
    await allGone(others);
  });

  it('leaves nothing behind when it is stopped while it still starts', async () => {
    const run = await StartRun.begin();
    runs.push(run);
    await run.until(async () => (await readdir(run.folder)).includes('postgres.lock'));
    const others = await descendantsOf(run.pid);
    expect(others).not.toEqual([]);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(130);
    await allGone(others);
    expect(await readdir(run.folder)).toEqual(
      expect.not.arrayContaining(['dev.json', 'start.lock', 'postgres.lock']),
    );
  });

  it('refuses a second start on its data folder, and goes on', async () => {
    const run = await ready();
    const second = await StartRun.begin({ folder: run.folder });
    expect(await second.ended).toBe(1);
    expect(second.output).toMatch(
      /^A platform already runs on .* \(process \d+\)\. Stop it, or choose another folder/,
    );
    expect(await statusOf(`${(await run.dev()).url}/health/ready`)).toBe(200);
  });
});

async function createWorkspace(url: string, apiKey: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'kept' }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

/** @returns where the content is */
async function upload(url: string, apiKey: string, workspaceId: string, content: string): Promise<string> {
  const files = `${url}/api/v1/workspaces/${workspaceId}/files`;
  const response = await fetch(`${files}/${content.length}.txt`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${apiKey}` },
    body: content,
  });
  expect(response.status).toBe(201);
  const { file } = (await response.json()) as { file: { id: string } };
  return `${files}/${file.id}/content`;
}

async function download(url: string, apiKey: string): Promise<string> {
  return (await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } })).text();
}
