import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const library = resolve(import.meta.dirname, '..');
const repository = resolve(library, '../..');
const compiler = join(repository, 'node_modules/.bin/tsc');
const FRAMEWORK = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  'fastify',
  'reflect-metadata',
  'rxjs',
] as const;

/** What a stranger would write; compiled against the packed types, as an ES module and as CommonJS. */
const APPLICATION = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { buildRelease, Cdn, CdnModule } from '@peregrine/cdn';

const folder = process.argv[2] ?? '';

@Module({ imports: [CdnModule.forRoot({ origins: [{ root: folder, prefix: '/static' }], urlStyle: 'query' })] })
class AppModule {}

const main = async () => {
  await buildRelease({ source: folder, brotliQuality: 1 });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const path = app.get(Cdn).getCdnUrl('app.js');
  const response = await fetch(new URL(path, await app.getUrl()), { headers: { 'Accept-Encoding': 'br' } });
  const text = await response.text();
  const names = ['content-encoding', 'cache-control'];
  console.log(JSON.stringify({ path, length: text.length, headers: names.map((it) => response.headers.get(it)) }));
  await app.close();
};
main().catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** The same on Express. */
const ON_EXPRESS = APPLICATION.replaceAll('platform-fastify', 'platform-express')
  .replaceAll('FastifyAdapter', 'ExpressAdapter')
  .replaceAll('NestFastifyApplication', 'NestExpressApplication');

/** Without Nest. */
const PLAIN = `
import { createServer } from 'node:http';
import { Origin, serveStatic } from '@peregrine/cdn';
const origin = await new Origin({ root: process.argv[2] }).open();
const answers = [];
for (const handler of [origin.listener, (request, response) => serveStatic(process.argv[2])(request, response, () => {})]) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const response = await fetch('http://127.0.0.1:' + server.address().port + '/app.js');
  answers.push([response.status, (await response.text()).length]);
  server.close();
}
console.log(JSON.stringify(answers));
`;
const SOURCES = ['app.mts', 'app.cts', 'express.mts', 'express.cts'];
const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  types: ['node'],
};
const SCRIPT = 'export const answer = 42;\n'.repeat(100);

interface PackageJson {
  readonly devDependencies: Record<string, string>;
}
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

describe('the packed library in an application outside of this repository', () => {
  let folder: string;
  let packed: Packed;
  // The outer run may have been started with flags of its own for the tests.
  const execute = (...args: string[]) =>
    run(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } });
  const assets = async () => {
    const path = await mkdtemp(join(folder, 'assets-'));
    await writeFile(join(path, 'app.js'), SCRIPT);
    return path;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-cdn-pack-'));
    await run(compiler, ['-b', 'libs/cdn/tsconfig.lib.json'], { cwd: repository });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: library });
    [packed] = JSON.parse(stdout) as [Packed];
    const own = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as PackageJson;
    const dependencies = {
      ...Object.fromEntries(FRAMEWORK.map((it) => [it, own.devDependencies[it]])),
      '@peregrine/cdn': `file:./${packed.filename}`,
    };
    const files = {
      'package.json': JSON.stringify({ name: 'outside', private: true, dependencies }),
      'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: SOURCES }),
      'app.mts': APPLICATION,
      'app.cts': APPLICATION,
      'express.mts': ON_EXPRESS,
      'express.cts': ON_EXPRESS,
      'plain.mjs': PLAIN,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
    const types = 'node_modules/@types';
    await symlink(join(repository, types), join(folder, types)).catch(() => undefined);
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('ships the built code, its types and the README, and nothing else', () => {
    const paths = packed.files.map((it) => it.path);
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'dist/index.js', 'dist/index.d.ts', 'package.json']),
    );
    expect(
      paths.filter((it) => !/^(README\.md|LICENSE|package\.json|dist\/.*\.(js|d\.ts))$/.test(it)),
    ).toEqual([]);
  });

  it('compiles against the packed types', async () => {
    await expect(run(compiler, ['-p', folder], { cwd: folder })).resolves.toMatchObject({ stdout: '' });
  }, 60_000);

  it.each(SOURCES.map((it) => it.replace(/ts$/, 'js')))('builds and serves a release in %s', async (file) => {
    const { stdout } = await execute(file, await assets());
    expect(JSON.parse(stdout)).toEqual({
      path: expect.stringMatching(/^\/static\/app\.js\?v=[0-9a-f]{12}$/),
      length: SCRIPT.length,
      headers: ['br', 'public, max-age=31536000, immutable'],
    });
  });

  it('serves a program without a framework', async () => {
    const { stdout } = await execute('plain.mjs', await assets());
    expect(JSON.parse(stdout)).toEqual([
      [200, SCRIPT.length],
      [200, SCRIPT.length],
    ]);
  });

  it('keeps its inside to itself', async () => {
    const deep = `import('@peregrine/cdn/dist/origin/origin.js').then(() => 0, (it) => console.log(it.code))`;
    const { stdout } = await execute('-e', deep);
    expect(stdout.trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
