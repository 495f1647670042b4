import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { renderNginxProxy } from '@peregrine/cdn';
import { startNginx } from '@peregrine/cdn/testing';
import { EmbeddedPostgres } from '@peregrine/database/embedded';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logIn } from './support/operator.js';
import { nextOf, type OpenConsole, openConsole } from './support/snapshots.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(180_000);

const MAX_VIEWERS = 32;

describe('the stream of the console', () => {
  let platform: Platform;
  const consoles: OpenConsole[] = [];

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
  });
  afterEach(() => {
    for (const it of consoles.splice(0)) it.close();
  });
  afterAll(() => platform?.stop());

  const open = async (cookie: string) => {
    const opened = await openConsole(platform.url, cookie);
    consoles.push(opened);
    return opened;
  };

  it('has a whole snapshot at once, and another one every two seconds', async () => {
    const { cookie } = await logIn(platform);
    await platform.createWorkspace();
    const opened = await open(cookie);
    const { response } = opened;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const first = await nextOf(opened);
    expect(first.verdicts.length).toBeGreaterThan(5);
    expect(first.limits).toHaveLength(6);
    expect(first.routes).toContainEqual(expect.objectContaining({ route: '/api/v1/workspaces' }));
    expect(first.history.perSecond.length).toBeGreaterThan(0);
    expect(first.flags.map(({ name }) => name)).toContain('cacheEnabled');
    expect(first.health).toMatchObject({ database: 'up' });
    expect(first.actionsEnabled).toBe(false);
    expect(JSON.stringify(first)).not.toContain(platform.adminKey);
    expect(Date.parse((await nextOf(opened)).at)).toBeGreaterThan(Date.parse(first.at));
  });

  it('reaches two consoles at once through nginx, as it is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-console-nginx-'));
    const nginx = await startNginx(folder, (port) =>
      renderNginxProxy({
        listen: `127.0.0.1:${port}`,
        upstreams: [new URL(platform.url).host],
        temporaryFolder: folder,
        cache: { folder: join(folder, 'cache') },
        errorLog: join(folder, 'error.log'),
        accessLog: false,
        workerProcesses: 1,
        // Started by root, the workers are somebody else, who may not read the test's folder.
        ...(process.getuid?.() === 0 && { user: 'root' }),
      }),
    );
    try {
      const { cookie } = await logIn(platform);
      const opened = await Promise.all([openConsole(nginx.url, cookie), openConsole(nginx.url, cookie)]);
      consoles.push(...opened);
      const snapshotsOf = async (it: OpenConsole) => {
        const times: number[] = [];
        while (times.length < 3) times.push(Date.parse((await nextOf(it)).at));
        return times;
      };
      const [[first = 0, , firstThird = 0] = [], [second = 0, , secondThird = 0] = []] = await Promise.all(
        opened.map(snapshotsOf),
      );
      // Neither waited for the end of the other.
      expect(first).toBeLessThan(secondThird);
      expect(second).toBeLessThan(firstThird);
      opened.forEach((it) => it.close());
    } finally {
      await nginx.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is no request in flight, no slow one, and none among the busiest routes', async () => {
    const { cookie } = await logIn(platform);
    const opened = await open(cookie);
    const first = await nextOf(opened);
    expect(first.process.inFlight).toBe(0);
    opened.close();
    const metrics = await platform.request('GET', '/metrics', { key: '' });
    expect(metrics.body).not.toContain('/console/api/stream",status="2xx"');
    expect(metrics.body).not.toContain('/console/api/stream",status="aborted"');
  });

  it('takes no more viewers than it can feed, and takes the next when one has left', async () => {
    const { cookie } = await logIn(platform);
    const viewers: OpenConsole[] = [];
    // Those of the tests before may not all have left yet.
    await until(async () => {
      viewers.push(await open(cookie));
      return viewers.filter(({ response }) => response.status === 200).length === MAX_VIEWERS;
    });
    expect((await open(cookie)).response.status).toBe(503);
    viewers.find(({ response }) => response.status === 200)?.close();
    await until(async () => (await open(cookie)).response.status === 200);
  });

  it('ends when its key is revoked', async () => {
    const { body: key } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'operator', scopes: ['admin'] },
    });
    const { cookie } = await logIn(platform, key.key as string);
    const opened = await open(cookie);
    await nextOf(opened);
    await platform.request('DELETE', `/api-keys/${key.id}`, { key: platform.adminKey });
    while (!(await opened.snapshots.next()).done);
    expect((await open(cookie)).response.status).toBe(401);
  });

  it('ends when the api shuts down, and does not keep it', async () => {
    const { cookie } = await logIn(platform);
    const opened = await open(cookie);
    await nextOf(opened);
    const ended = platform.api.stop('SIGTERM');
    while (!(await opened.snapshots.next()).done);
    expect(await ended).toMatchObject({ code: 0 });
  });
});

describe('the console while the database is away', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let platform: Platform;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-console-'));
    // As root the server runs as another user, who has to get in.
    await chmod(folder, 0o711);
    server = await EmbeddedPostgres.start({ dataDir: join(folder, 'postgres') });
    platform = await Platform.start({
      workers: 0,
      databaseUrl: server.url,
      env: { CONSOLE_ACTIONS_ENABLED: 'true' },
    });
  });
  afterAll(async () => {
    await platform?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('goes on showing, says so first, and changes nothing', async () => {
    const { cookie, csrfToken } = await logIn(platform);
    const before = await openConsole(platform.url, cookie);
    await nextOf(before);
    await server.stop();
    await until(async () => {
      const { verdicts } = await nextOf(before);
      return verdicts[0]?.level === 'critical' && verdicts[0].title.includes('database');
    });
    before.close();
    // Also a console that is opened now.
    const now = await openConsole(platform.url, cookie);
    expect((await nextOf(now)).health).toMatchObject({ database: 'down' });
    now.close();
    const flush = await platform.request('POST', '/console/api/actions/cache.flush', {
      key: '',
      headers: { cookie, 'x-csrf-token': csrfToken },
      body: {},
    });
    expect(flush.status).toBe(503);
  });
});
