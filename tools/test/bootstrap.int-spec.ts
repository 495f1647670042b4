import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { ROOT } from '../src/paths.ts';

jest.setTimeout(120_000);

/** A repository of its own without dependencies: `npm ci` needs no network and notes that it ran. */
describe('the bootstrap', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'peregrine-bootstrap-'));
    await mkdir(join(root, 'tools/src'), { recursive: true });
    await copyFile(join(ROOT, 'tools/bootstrap.mjs'), join(root, 'tools/bootstrap.mjs'));
    await writeFile(
      join(root, 'tools/src/demo.ts'),
      'const text: string = process.argv.slice(2).join();\nconsole.log(text);\n',
    );
    await writeInstall('echo once >> installs.log');
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('installs once, and again only when the lock file has changed', async () => {
    expect(await run('demo', 'a', '--b')).toMatchObject({ code: 0, stdout: 'a,--b\n' });
    expect(await run('demo')).toMatchObject({ code: 0, stderr: '' });
    expect(await installs()).toBe(1);
    await writeLock('0.0.2');
    expect(await run('demo')).toMatchObject({ code: 0 });
    expect(await installs()).toBe(2);
  });

  it('installs once when three commands start together', async () => {
    await writeInstall('sleep 0.5 && echo once >> installs.log');
    const results = await Promise.all(['1', '2', '3'].map((it) => run('demo', it)));
    expect(results.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, '1\n'],
      [0, '2\n'],
      [0, '3\n'],
    ]);
    expect(await installs()).toBe(1);
    expect(results.map(({ stderr }) => stderr).join('')).toContain('Another process installs the packages');
    await expect(stat(join(root, '.peregrine'))).rejects.toThrow('ENOENT');
  });

  it('takes over the lock of an install that was killed', async () => {
    const { pid } = await runToEnd(spawn(process.execPath, ['-e', '']));
    await mkdir(join(root, '.peregrine/install.lock'), { recursive: true });
    await writeFile(join(root, '.peregrine/install.lock/pid'), String(pid));
    expect(await run('demo')).toMatchObject({ code: 0 });
    await expect(stat(join(root, '.peregrine'))).rejects.toThrow('ENOENT');
  });

  it('shows the whole output of an install that fails, and tries again the next time', async () => {
    await writeInstall('echo "the reason" && exit 1');
    const failed = await run('demo');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('the reason');
    await writeInstall('echo once >> installs.log');
    expect(await run('demo')).toMatchObject({ code: 0 });
    expect(await installs()).toBe(1);
  });

  it('ends as the command does, by exit code or signal', async () => {
    await writeFile(join(root, 'tools/src/demo.ts'), 'process.exit(7);');
    expect(await run('demo')).toMatchObject({ code: 7 });
    await writeFile(join(root, 'tools/src/demo.ts'), "process.kill(process.pid, 'SIGKILL');");
    expect(await run('demo')).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('hands %s on to the command', async (signal) => {
    await writeFile(
      join(root, 'tools/src/demo.ts'),
      `process.on('${signal}', () => { console.log('in order'); process.exit(0); });
       setInterval(() => undefined, 1_000);
       console.log('waiting');`,
    );
    const child = bootstrap('demo');
    const ended = runToEnd(child);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0, stdout: 'waiting\nin order\n' });
  });

  it('leaves no install behind when it is stopped', async () => {
    await writeInstall('echo $$ > install.pid && exec sleep 600');
    const child = bootstrap('demo');
    const ended = runToEnd(child);
    const pid = await readWhenThere(join(root, 'install.pid'));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    while (isAlive(pid)) await delay(20);
  });

  it('puts the programs of node_modules first on the PATH', async () => {
    await writeFile(join(root, 'tools/src/demo.ts'), 'console.log(process.env.PATH);');
    const { stdout } = await run('demo');
    expect(stdout.startsWith(`${join(root, 'node_modules/.bin')}:`)).toBe(true);
  });

  it('lists its commands, without installing', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const name of [
      'start',
      'demo',
      'test',
      'migrate',
      'cache-flush',
      'bench-cache',
      'bench-queue',
      'env-example',
      'install',
    ]) {
      expect(help.stdout).toContain(`\n  ${name} `);
    }
    const unknown = await run('strat');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toMatch(/^Unknown command: strat\n/);
    await expect(installs()).rejects.toThrow('ENOENT');
  });

  async function writeInstall(script: string): Promise<void> {
    const manifest = {
      name: 'sample',
      version: '0.0.1',
      private: true,
      type: 'module',
      scripts: { install: script },
    };
    await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
    await writeLock('0.0.1');
  }

  async function writeLock(version: string): Promise<void> {
    const name = 'sample';
    const lock = {
      name,
      version,
      lockfileVersion: 3,
      requires: true,
      packages: { '': { name, version: '0.0.1' } },
    };
    await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
  }

  async function installs(): Promise<number> {
    return (await readFile(join(root, 'installs.log'), 'utf8')).trim().split('\n').length;
  }

  function bootstrap(...args: string[]) {
    const { NODE_OPTIONS: _, ...env } = process.env;
    return spawn(process.execPath, [join(root, 'tools/bootstrap.mjs'), ...args], { cwd: tmpdir(), env });
  }

  const run = (...args: string[]) => runToEnd(bootstrap(...args));
});

async function runToEnd(child: ReturnType<typeof spawn>) {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { pid: child.pid ?? 0, code, signal, stdout, stderr };
}

async function readWhenThere(path: string): Promise<number> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    await delay(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
