import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { isRoot, makeDataFolder, ordinaryUser, StartRun, statusOf } from './start-fixture.ts';

jest.setTimeout(180_000);

const { createTestDatabase } = await import('@peregrine/database/testing');

describe('npm start, given another environment,', () => {
  const runs: StartRun[] = [];
  const begin = async (...args: Parameters<typeof StartRun.begin>) => {
    const run = await StartRun.begin(...args);
    runs.push(run);
    return run;
  };

  afterEach(async () => {
    await Promise.all(runs.splice(0).map((it) => it.cleanUp()));
  });

  it('uses the servers of DATABASE_URL and REDIS_URL and starts none', async () => {
    const { REDIS_URL } = process.env;
    const database = await createTestDatabase(process.env['DATABASE_URL']);
    const QUEUE_PREFIX = `test-${randomBytes(6).toString('hex')}`;
    try {
      const run = await StartRun.ready({
        environment: { DATABASE_URL: database.url, REDIS_URL, QUEUE_PREFIX },
      });
      runs.push(run);
      const dev = await run.dev();
      expect(dev).toMatchObject({ databaseUrl: database.url, redisUrl: REDIS_URL });
      expect(dev.processes.map(({ name }) => name)).toEqual(['start', 'api', 'worker-1']);
      expect(await statusOf(`${dev.url}/health/ready`)).toBe(200);
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
    } finally {
      await database.drop();
    }
  });

  it('runs without Redis when the machine has none', async () => {
    const path = await pathWithoutRedis();
    try {
      const run = await StartRun.ready({ environment: { PATH: path } });
      runs.push(run);
      const dev = await run.dev();
      expect(dev.redisUrl).toBeNull();
      expect(run.output).toContain('no redis-server found: cache in memory, queue on PostgreSQL');
      expect(await statusOf(`${dev.url}/health/ready`)).toBe(200);
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
    } finally {
      await rm(path, { recursive: true });
    }
  });

  it('ends with one message that names the port when the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const run = await begin({ args: ['--port', String(port)] });
    expect(await run.ended).toBe(1);
    expect(run.output).toBe(
      `Port ${port} is in use. Choose another port: npm start -- --port <number> (0 for any free port).\n`,
    );
    server.close();
  });

  it('names every wrong variable before it starts anything, and shows no secret', async () => {
    const run = await begin({
      environment: { LOG_LEVEL: 'loud', CURSOR_SECRET: 'hunter2', SLOW_REQUEST_MS: '-1' },
    });
    expect(await run.ended).toBe(1);
    for (const name of [
      'LOG_LEVEL: given "loud"',
      'CURSOR_SECRET: given (hidden)',
      'SLOW_REQUEST_MS: given "-1"',
    ]) {
      expect(run.output).toContain(name);
    }
    expect(run.output).not.toContain('hunter2');
    expect(await readdir(run.folder)).not.toContain('postgres');
  });

  it('says which database does not answer, without its password', async () => {
    const run = await begin({ environment: { DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/missing' } });
    expect(await run.ended).toBe(1);
    expect(run.output).toMatch(
      /No connection to PostgreSQL at 127\.0\.0\.1:1, database "missing", after \d+ attempts/,
    );
    expect(run.output).not.toContain('hunter2');
    expect(run.output).not.toContain('    at ');
  });

  it('does not touch the data of another PostgreSQL version', async () => {
    const folder = await makeDataFolder();
    await mkdir(join(folder, 'postgres'));
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '15\n');
    const run = await begin({ folder });
    expect(await run.ended).toBe(1);
    expect(run.output).toMatch(/belongs to PostgreSQL 15, this is PostgreSQL 18\. It was not touched\./);
    expect(await readdir(join(folder, 'postgres'))).toEqual(['PG_VERSION']);
  });

  it('says that it may not write to the data folder', async () => {
    const folder = await makeDataFolder();
    await chmod(folder, 0o555);
    // Root may write anywhere: there an ordinary user tries.
    const run = await begin({ user: isRoot ? ordinaryUser : {}, folder });
    expect(await run.ended).toBe(1);
    expect(run.output).toMatch(
      /^The data folder .* cannot be used: this user may not write there\. Choose another one/,
    );
  });

  it.each([
    [['--prot', '1'], 'Unknown option \'--prot\'. Run "npm start -- --help" for the options.\n'],
    [['--port', 'http'], '--port: given "http", expected a whole number from 0 to 65535\n'],
    [['--workers', '-1'], /^Option '--workers'/],
  ])('explains the wrong option %j', async (args, message) => {
    const run = await begin({ args });
    expect(await run.ended).toBe(1);
    expect(run.output).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });
});

/** A folder with the programs of the PATH except the Redis servers: PostgreSQL and Node still need some. */
async function pathWithoutRedis(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-path-'));
  const taken = new Set(['redis-server', 'valkey-server']);
  for (const source of (process.env['PATH'] ?? '').split(delimiter)) {
    const names = await readdir(source).catch(() => []);
    for (const name of names.filter((it) => !taken.has(it))) {
      taken.add(name);
      await symlink(join(source, name), join(folder, name));
    }
  }
  return folder;
}
