import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '@peregrine/database/embedded';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from './support/platform.js';
import { programOf, ServiceProcess } from './support/service-process.js';
import { until } from './support/until.js';

const SECRET = 'a-secret-that-must-not-be-shown-anywhere';

const environment = (databaseUrl: string) => ({
  DATABASE_URL: databaseUrl,
  CURSOR_SECRET: SECRET,
  PORT: '0',
  LOG_LEVEL: 'error',
  STORAGE_FOLDER: join(tmpdir(), 'peregrine-e2e-unused'),
  CACHE_OBJECT_STORE: 'none',
});

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a start that cannot succeed', () => {
  it.each(['api', 'worker'] as const)(
    'of the %s names every wrong setting at once and no secret',
    async (app) => {
      const { code, output } = await new ServiceProcess(programOf(app), {
        ...environment(`mysql://root:${SECRET}@localhost/x`),
        PORT: '99999',
        CACHE_ENABLED: 'perhaps',
        BOOTSTRAP_ADMIN_KEY: 'too-short',
      }).ended();
      expect(code).toBe(1);
      for (const name of ['DATABASE_URL', 'PORT', 'CACHE_ENABLED', 'BOOTSTRAP_ADMIN_KEY'])
        expect(output).toContain(name);
      expect(output).toContain('perhaps');
      expect(output).not.toContain(SECRET);
      expect(output).not.toContain('too-short');
      expect(output).not.toContain('    at ');
    },
  );

  it('for want of a setting says which', async () => {
    const { code, output } = await new ServiceProcess(programOf('api'), {}).ended();
    expect(code).toBe(1);
    expect(output).toContain('DATABASE_URL');
    expect(output).toContain('CURSOR_SECRET');
  });

  it('for want of a database says where it looked, without the password', async () => {
    const port = await freePort();
    const { code, output } = await new ServiceProcess(programOf('api'), {
      ...environment(`postgres://user:${SECRET}@127.0.0.1:${port}/missing`),
      DATABASE_START_TIMEOUT_MS: '1000',
    }).ended();
    expect(code).toBe(1);
    expect(output).toContain(`127.0.0.1:${port}`);
    expect(output).not.toContain(SECRET);
    expect(output).not.toContain('    at ');
  });
});

describe('a database that goes away', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let platform: Platform;

  const startServer = (port?: number) =>
    EmbeddedPostgres.start({ dataDir: join(folder, 'postgres'), ...(port ? { port } : {}) });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-faults-'));
    // As root the server runs as another user, who has to get in.
    await chmod(folder, 0o711);
    server = await startServer();
    // An extraction may use up its attempts while the database is away; the sweep brings it back.
    platform = await Platform.start({ databaseUrl: server.url, env: { WORKER_SWEEP_INTERVAL_MS: '1000' } });
  }, 120_000);
  afterAll(async () => {
    await platform?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('leaves the processes up, answers 503 to what needs it, serves what is cached, and heals', async () => {
    const workspace = await platform.createWorkspace();
    const { file } = await platform.upload(workspace, 'cached.txt', 'cached');
    // Its end invalidates what is cached of the file.
    await platform.extracted(workspace);
    const content = () => platform.request('GET', `/workspaces/${workspace}/files/${file.id}/content`);
    expect((await content()).body).toBe('cached');

    const { port } = server;
    await server.stop();
    const refused = await platform.upload(workspace, 'lost.txt', 'x'.repeat(100_000));
    expect(refused).toMatchObject({ status: 503, body: { code: 'DATABASE_UNAVAILABLE' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(JSON.stringify(refused.body)).not.toContain('ECONN');
    expect((await content()).body).toBe('cached');
    expect((await platform.request('GET', '/health/live')).status).toBe(200);
    await until(async () => (await platform.request('GET', '/health/ready')).status === 503);

    server = await startServer(port);
    await until(async () => (await platform.request('GET', '/health/ready')).status === 200);
    await platform.upload(workspace, 'after.txt', 'a merlin stoops');
    await platform.extracted(workspace);
    expect(
      (await platform.request('GET', `/workspaces/${workspace}/search?q=merlin`)).body.items,
    ).toHaveLength(1);
    const list = await platform.request('GET', `/workspaces/${workspace}/files?fields=path`);
    expect(list.body.items).toEqual([{ path: 'after.txt' }, { path: 'cached.txt' }]);

    // Results are cached again once others' writes are heard of again; not before.
    const hits = async () => {
      await platform.request('GET', `/workspaces/${workspace}/files?fields=path`);
      const { body } = await platform.request('GET', '/optimizer/report', { key: platform.adminKey });
      return body.cache.hits as number;
    };
    const before = await hits();
    await until(async () => (await hits()) > before);
  }, 120_000);

  it('may be late at the start', async () => {
    const { port, url } = server;
    await server.stop();
    const late = new ServiceProcess(programOf('api'), environment(url));
    const listening = late.listening();
    server = await startServer(port);
    expect(await listening).toContain('http://');
    await late.stop('SIGKILL');
  }, 120_000);

  it('and a port in use end the start with one message', async () => {
    const { code, output } = await new ServiceProcess(programOf('api'), {
      ...environment(server.url),
      PORT: new URL(platform.url).port,
    }).ended();
    expect(code).toBe(1);
    expect(output).toContain(`${new URL(platform.url).port} is in use`);
    expect(output).not.toContain('    at ');
  }, 60_000);
});
