import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Cache } from '@peregrine/cache';
import { createClient } from 'redis';

import { ROOT } from '../src/paths.ts';
import { makeDataFolder, StartRun } from './start-fixture.ts';

jest.setTimeout(120_000);

const { createCache } = await import('@peregrine/cache');

const { DATABASE_URL: _database, REDIS_URL, NODE_OPTIONS: _options, ...inherited } = process.env;

async function flush(args: string[], environment: NodeJS.ProcessEnv = {}) {
  const command = [join(ROOT, 'tools/src/cache-flush.ts'), ...args];
  const env = { ...inherited, ...environment };
  return promisify(execFile)(process.execPath, command, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

/** A data folder on which nothing runs. */
let idle: string;
beforeAll(async () => {
  if (!REDIS_URL) throw new Error('REDIS_URL is not set: run "npm test", or set it to a Redis for tests');
  idle = await makeDataFolder();
});
afterAll(() => rm(idle, { recursive: true, force: true }));

describe('npm run cache:flush, where only Redis can be reached,', () => {
  const caches: Cache[] = [];
  const prefixes: string[] = [];

  /** As a process of a platform has it. */
  async function open(prefix: string): Promise<Cache> {
    const cache = createCache({ prefix, redis: { url: REDIS_URL ?? '' } });
    caches.push(cache);
    await until(() => Promise.resolve(cache.stats().redis.subscribed && cache.stats().redis.available));
    await cache.set('k', 1, { tags: ['red'] });
    await cache.namespace('content').set('k', 2, { tags: ['red'] });
    await cache.namespace('search').set('k', 3, { tags: ['blue'] });
    return cache;
  }

  const values = (cache: Cache) =>
    Promise.all(['default', 'content', 'search'].map((it) => cache.namespace(it).get<number>('k')));

  const newPrefix = () => {
    const prefix = `flush-${randomBytes(6).toString('hex')}`;
    prefixes.push(prefix);
    return prefix;
  };

  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
    for (const prefix of prefixes.splice(0)) await removeKeys(prefix);
  });

  it.each<[string[], (number | undefined)[], string]>([
    [[], [undefined, undefined, undefined], 'all entries of every process'],
    [['--namespace', 'content'], [1, undefined, 3], 'all entries of the namespace content of every process'],
    [['--tag', 'red'], [undefined, undefined, 3], 'entries tagged red of every process'],
    [
      ['--tag', 'red', '--tag', 'blue', '--namespace', 'search'],
      [1, 2, undefined],
      'entries tagged red, blue of',
    ],
  ])('reaches the processes that share the prefix, with %j', async (args, left, said) => {
    const prefix = newPrefix();
    const [one, other] = [await open(prefix), await open(newPrefix())];
    const environment = { REDIS_URL, CACHE_PREFIX: prefix };
    const { code, stdout, stderr } = await flush(['--data', idle, ...args], environment);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Flushed ${said}`);
    expect(stdout).toContain(`prefix ${prefix}, through Redis`);
    await until(async () => JSON.stringify(await values(one)) === JSON.stringify(left));
    expect(await values(other)).toEqual([1, 2, 3]);
  });

  it('says when it cannot, without the password', async () => {
    const { code, stdout, stderr } = await flush(['--data', idle], {
      REDIS_URL: 'redis://:hunter2@127.0.0.1:1',
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^The Redis of the cache cannot be used, nothing was flushed: /);
    expect(stderr).not.toContain('hunter2');
    expect(stderr).not.toContain('    at ');
  });

  it('names a wrong setting', async () => {
    const { code, stderr } = await flush(['--data', idle], { REDIS_URL: 'http://127.0.0.1' });
    expect(code).toBe(1);
    expect(stderr).toContain('REDIS_URL: given (hidden), expected a URL that begins with redis://');
  });
});

describe('npm run cache:flush', () => {
  it.each<[string[], NodeJS.ProcessEnv, RegExp]>([
    [[], {}, /^No platform runs on .*, and no Redis is named \(REDIS_URL\)\./],
    [['--namspace', 'content'], {}, /^Unknown option '--namspace'\. Run "npm run cache:flush -- --help"/],
    [
      ['--url', 'localhost:3000'],
      { BOOTSTRAP_ADMIN_KEY: 'k' },
      /^--url: given "localhost:3000", expected an address/,
    ],
    [['--url', 'http://127.0.0.1:1'], {}, /^--url needs an API key .* BOOTSTRAP_ADMIN_KEY/],
    [
      ['--url', 'http://127.0.0.1:1'],
      { BOOTSTRAP_ADMIN_KEY: 'k' },
      /^The api on http:\/\/127\.0\.0\.1:1 does not answer/,
    ],
  ])('explains what is wrong with %j', async (args, environment, message) => {
    const { code, stdout, stderr } = await flush(['--data', idle, ...args], environment);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });

  it('shows its help', async () => {
    const { code, stdout } = await flush(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run cache:flush/);
  });

  it('goes through the api of the platform that runs on the data folder', async () => {
    const run = await StartRun.ready();
    try {
      const { url } = await run.dev();
      const done = await flush(['--data', run.folder]);
      expect(done).toMatchObject({ code: 0, stderr: '' });
      expect(done.stdout).toContain(`Flushed all entries through the api on ${url}. `);
      const unknown = await flush(['--data', run.folder, '--url', `${url}/`, '--namespace', 'contnet']);
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toMatch(/refused \(400\): "contnet" is no namespace; expected .*content/);
      const denied = await flush(['--data', idle, '--url', url], { BOOTSTRAP_ADMIN_KEY: 'wrong' });
      expect(denied.code).toBe(1);
      expect(denied.stderr).toContain('refused (401)');
    } finally {
      await run.cleanUp();
    }
  });
});

async function removeKeys(prefix: string): Promise<void> {
  const client = await createClient({ url: REDIS_URL ?? '' }).connect();
  const keys = await client.keys(`*${prefix}*`);
  if (keys.length > 0) await client.unlink(keys);
  client.destroy();
}

/** Waits for the condition; the test's own time limit is the only clock. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}
