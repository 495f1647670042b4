import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { DatabaseOptionsError, EmbeddedPostgres, PortInUseError } from '../src/embedded/index.js';
import { identifyProcess } from '../src/embedded/process-identity.js';

import {
  fails,
  itAsRoot,
  kill,
  makeFolder,
  query,
  removeFolder,
  serverProcessPid,
  spawnOwner,
  startOwner,
  until,
} from './embedded-fixture.js';

jest.setTimeout(60_000);

const NOBODY = { uid: 65_534, gid: 65_534 };
const isGone = async (pid: number) => (await identifyProcess(pid)) === undefined;

describe('EmbeddedPostgres', () => {
  let folder: string;
  let dataDir: string;
  const started: EmbeddedPostgres[] = [];

  const start = async (options: Partial<Parameters<typeof EmbeddedPostgres.start>[0]> = {}) => {
    const server = await EmbeddedPostgres.start({ dataDir, ...options });
    started.push(server);
    return server;
  };

  beforeEach(async () => {
    folder = await makeFolder();
    dataDir = join(folder, 'postgres');
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((it) => it.stop()));
    await removeFolder(folder);
  });
  afterAll(() => {
    expect(started).toHaveLength(0);
  });

  it('starts PostgreSQL 18 with a database of its own, a deterministic order and statement statistics', async () => {
    const lines: string[] = [];
    const server = await start({ databaseName: 'my "own"', onLog: (it) => lines.push(it) });
    const [row] = await query<Record<string, string>>(
      server.url,
      `SELECT current_database() AS name, current_setting('server_version_num')::int / 10000 AS version,
         current_setting('max_connections') AS connections, current_setting('listen_addresses') AS address,
         current_setting('shared_preload_libraries') AS preloaded, current_setting('unix_socket_directories') AS sockets,
         datlocprovider AS provider, datlocale AS locale, pg_encoding_to_char(encoding) AS encoding
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(row).toEqual({
      name: 'my "own"',
      version: 18,
      connections: '200',
      address: '127.0.0.1',
      preloaded: 'pg_stat_statements',
      sockets: '',
      provider: 'b',
      locale: 'C.UTF-8',
      encoding: 'UTF8',
    });
    expect(lines.some((it) => it.includes('ready to accept connections'))).toBe(true);
  });

  it('keeps the data, the password and nothing else over a restart', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await Promise.all([first.stop(), first.stop()]);
    expect(await first.exited).toEqual({ code: 0, signal: null, expected: true });
    expect(await isGone(first.pid)).toBe(true);
    await expect(stat(`${dataDir}.lock`)).rejects.toThrow('ENOENT');

    const second = await start({ settings: { work_mem: '5MB' } });
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect(await query(second.url, `SELECT answer, current_setting('work_mem') AS memory FROM kept`)).toEqual(
      [{ answer: 42, memory: '5MB' }],
    );
  });

  it('refuses a connection without the password, which only the server’s user may read', async () => {
    const server = await start();
    const url = new URL(server.url);
    expect((await stat(join(dataDir, 'peregrine.password'))).mode & 0o777).toBe(0o600);
    url.password = 'wrong';
    expect((await fails(query(url.href, 'SELECT 1'))).message).toContain('password authentication failed');
  });

  it('stops the server when its owner is killed, and starts again at once with the data', async () => {
    const owner = await startOwner(dataDir);
    await query(owner.url, 'CREATE TABLE kept AS SELECT 1 AS answer');
    await kill(owner.child);
    const server = await start();
    expect(await isGone(owner.pid)).toBe(true);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 1 }]);
  });

  it('leaves no process and no lock when its owner is killed and nobody starts again', async () => {
    const owner = await startOwner(dataDir);
    const process = await serverProcessPid(dataDir);
    await kill(owner.child);
    await until(async () => (await isGone(owner.pid)) && (await isGone(process)));
    await expect(stat(`${dataDir}.lock`)).rejects.toThrow('ENOENT');
  });

  it('stops the orphan that a killed owner and a killed server process left, then starts', async () => {
    const owner = await startOwner(dataDir);
    await query(owner.url, 'CREATE TABLE kept AS SELECT 1 AS answer');
    process.kill(await serverProcessPid(dataDir), 'SIGKILL');
    await kill(owner.child);
    expect(await isGone(owner.pid)).toBe(false);
    const server = await start();
    expect(await isGone(owner.pid)).toBe(true);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 1 }]);
  });

  it('stops the server too when only the server process was killed', async () => {
    const server = await start();
    process.kill(await serverProcessPid(dataDir), 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL', expected: false });
    await server.stop();
    expect(await isGone(server.pid)).toBe(true);
  });

  it('tells when the server was killed, and recovers on the next start', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS answer');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL', expected: false });
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 1 }]);
  });

  it('starts from nothing again when the first start was killed half way', async () => {
    const child = spawnOwner(dataDir);
    await until(() => stat(join(`${dataDir}.tmp`, 'base')).then(Boolean, () => false));
    await kill(child);
    const server = await start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(stat(`${dataDir}.tmp`)).rejects.toThrow('ENOENT');
  });

  it('is not reached by an interrupt of the terminal, which the owner answers with stop', async () => {
    const owner = await startOwner(dataDir);
    process.kill(await serverProcessPid(dataDir), 'SIGINT');
    expect(await query(owner.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await kill(owner.child, 'SIGTERM');
    expect(await isGone(owner.pid)).toBe(true);
  });

  it('names a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const error = await fails(start({ port }));
    other.close();
    expect(error).toBeInstanceOf(PortInUseError);
    expect(error).toMatchObject({ code: 'DATABASE_PORT_IN_USE', details: { port } });
  });

  it('reports every wrong option at once', async () => {
    const error = await fails(start({ port: 0, settings: { listen_addresses: '*' } }));
    expect(error).toBeInstanceOf(DatabaseOptionsError);
    expect(error.message).toMatch(/port: [^]*settings/);
  });

  it('quotes the server’s own words when a setting is wrong', async () => {
    const error = await fails(start({ settings: { work_mem: 'plenty' } }));
    expect(error).toMatchObject({ code: 'DATABASE_EMBEDDED_START' });
    expect(error.message).toContain('work_mem');
  });

  itAsRoot('runs as an ordinary user, and then under root with the same data', async () => {
    const own = await makeFolder(NOBODY);
    const owner = await startOwner(join(own, 'postgres'), NOBODY);
    await query(owner.url, 'CREATE TABLE kept AS SELECT 1 AS answer');
    await kill(owner.child, 'SIGTERM');
    const server = await start({ dataDir: join(own, 'postgres') });
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 1 }]);
    await server.stop();
    await removeFolder(own);
  });

  it('repairs a stale postmaster.pid, of no process or of another program', async () => {
    await (await start()).stop();
    const stalePids = [await unusedPid(), process.pid];
    for (const pid of stalePids) {
      await writeFile(
        join(dataDir, 'postmaster.pid'),
        `${pid}\n${dataDir}\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready\n`,
      );
      const server = await start();
      expect(await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).toMatch(new RegExp(`^${server.pid}\n`));
      await server.stop();
    }
  });
});

async function unusedPid(): Promise<number> {
  for (let pid = 4_000_000; ; pid--) if (await isGone(pid)) return pid;
}
