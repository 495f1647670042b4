import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { ROOT } from '../src/paths.ts';

jest.setTimeout(120_000);

const { NODE_OPTIONS: _options, ...env } = process.env;

function run(tool: 'cdn' | 'cdn-probe', ...args: string[]) {
  const command = [join(ROOT, `tools/src/${tool}.ts`), ...args];
  return promisify(execFile)(process.execPath, command, { env }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

describe('npm run cdn and npm run cdn:probe', () => {
  let folder: string;
  let root: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-cdn-tools-'));
    root = join(folder, 'public');
    await run('cdn-probe', '--no-build', '--write-fixture', folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Serves a folder as long as `use` takes. */
  async function served<T>(served: string, use: (url: string) => Promise<T>): Promise<T> {
    const args = [join(ROOT, 'tools/src/cdn.ts'), 'serve', served, '--no-build', '--port', '0'];
    const server = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(server, 'close') as Promise<[number | null]>;
    try {
      const [line] = (await once(server.stdout, 'data')) as [Buffer];
      const [, url] = /on (http:\/\/\S+)/.exec(line.toString()) ?? [];
      return await use(url ?? '');
    } finally {
      server.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  }

  it('serves a folder that passes the probe and its fuzz', async () => {
    const { code, stdout } = await served(root, (url) =>
      run('cdn-probe', url, '--no-build', '--fuzz', '1000'),
    );
    expect(stdout).toMatch(/all: (\d+) of \1\n1000 fuzzed requests: .* 0 problems/);
    expect(code).toBe(0);
  });

  it('builds a release, says what it saves, and serves it', async () => {
    const out = join(folder, 'release');
    const json = join(folder, 'report.json');
    const { code, stdout } = await run('cdn', 'build', root, '--no-build', '--out', out, '--json', json);
    expect(code).toBe(0);
    expect(stdout).toMatch(/brotli .* saves \d+ %\n.*gzip .* saves \d+ %\n.*zstd .* saves \d+ %/);
    expect(stdout).toMatch(/is now the current one/);
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ isNew: true, removedFiles: 0 });
    const manifest = JSON.parse(await readFile(join(out, 'asset-manifest.json'), 'utf8'));
    await served(out, async (url) => {
      const response = await fetch(new URL(manifest['app.js'].file as string, url));
      expect(response.headers.get('cache-control')).toMatch(/immutable/);
    });
  });

  it('finds what is wrong, and fails', async () => {
    await rm(join(root, 'letters.txt'));
    const { code, stdout } = await served(root, (url) =>
      run('cdn-probe', url, '--no-build', '--group', 'basics'),
    );
    expect(stdout).toMatch(/✖ basics: sends a file: status 404/);
    expect(code).toBe(1);
  });

  it.each([
    [['cdn'], /build <folder>/],
    [['cdn', 'fly'], /There is no command "fly"/],
    [['cdn', 'build'], /Name one folder/],
    [['cdn', 'build', '/none/at/all', '--no-build'], /can not be read|holds no files/],
    [['cdn', 'serve', '/none/at/all', '--no-build'], /can not be served/],
    [['cdn', 'serve', '.', '--port', 'x'], /--port: given "x"/],
    [['cdn-probe'], /Give a URL/],
    [['cdn-probe', 'ftp://a', '--no-build'], /expected an address/],
  ] as const)('%j: one message and exit code 1', async ([tool, ...args], message) => {
    const { code, stdout, stderr } = await run(tool, ...args);
    expect(stdout + stderr).toMatch(message);
    expect(code).toBe(1);
  });
});
