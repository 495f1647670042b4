import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import { redisUrl } from './redis-url.js';

const run = promisify(execFile);
const library = resolve(import.meta.dirname, '..');
const repository = resolve(library, '../..');
const compiler = join(repository, 'node_modules/.bin/tsc');
const FRAMEWORK = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'] as const;
const CACHE_MANAGER = ['@nestjs/cache-manager', 'keyv'] as const;

/** What a stranger would write; compiled against the packed types, as an ES module and as CommonJS. */
const APPLICATION = `
import 'reflect-metadata';
import { CACHE_MANAGER, type Cache as CacheManager } from '@nestjs/cache-manager';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cache, Cacheable, CacheEvict, CacheModule, CacheNamespace, InjectCache } from '@peregrine/cache';
import { CacheManagerModule } from '@peregrine/cache/cache-manager';

@Injectable()
class Articles {
  loads = 0;
  constructor(
    @InjectCache('articles') readonly namespace: CacheNamespace,
    @Inject(CACHE_MANAGER) readonly manager: CacheManager,
  ) {}

  @Cacheable({ namespace: 'articles', key: (id: string) => id, tags: (id: string) => ['article:' + id] })
  async find(id: string): Promise<{ id: string; loads: number }> {
    return { id, loads: ++this.loads };
  }

  @CacheEvict({ namespace: 'articles', key: (id: string) => id })
  async remove(_id: string): Promise<void> {}
}

@Module({
  imports: [
    CacheModule.forRoot({ prefix: process.argv[2], redis: { url: process.argv[3] ?? '', timeoutMs: 2000 } }),
    CacheModule.forFeature({ name: 'articles', ttlMs: 60_000 }),
    CacheManagerModule.forRoot({ ttl: 60_000 }),
  ],
  providers: [Articles],
})
class AppModule {}

const start = async () => {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { app, articles: app.get(Articles) };
};
const main = async () => {
  const [one, two] = [await start(), await start()];
  await one.articles.find('k');
  const decorated = [await one.articles.find('k'), await two.articles.find('k')];
  await one.articles.remove('k');
  decorated.push(await one.articles.find('k'));
  const value = { floats: new Float64Array([1.5]), big: 2n ** 70n, map: new Map([['a', new Date(0)]]) };
  await one.articles.namespace.set('typed', value);
  const typed = await two.articles.namespace.get<typeof value>('typed');
  const right = typed?.floats[0] === 1.5 && typed.big === value.big && typed.map.get('a') instanceof Date;
  await one.articles.manager.set('m', { at: new Date(1) });
  const managed = await two.articles.manager.get<{ at: Date }>('m');
  console.log(JSON.stringify({ decorated, right, managed: managed?.at.getTime() }));
  await one.app.get(Cache).flush();
  await Promise.all([one.app.close(), two.app.close()]);
};
main().catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** Without Nest: no module of it is started, and none of the optional packages is needed. */
const PLAIN = `
import { createCache, MemoryTier } from '@peregrine/cache';
const cache = createCache({ memory: { maxEntries: 100 } });
let loads = 0;
const load = async () => ++loads;
const values = [await cache.getOrSet('k', load, { ttlMs: 60_000, tags: ['t'] }), await cache.getOrSet('k', load)];
await cache.invalidateTags(['t']);
values.push(await cache.getOrSet('k', load), await cache.get('k'));
await cache.close();
const memory = new MemoryTier({ maxEntries: 10, maxBytes: 10_000 });
memory.set('a', 1);
memory.set('b', 2);
memory.delete('b');
console.log(JSON.stringify({ values, memory: [memory.get('a'), memory.get('b') ?? null] }));
`;
const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  types: ['node'],
};

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
  const without = (names: readonly string[]) =>
    Promise.all(names.map((it) => rm(join(folder, 'node_modules', it), { recursive: true })));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-cache-pack-'));
    await run(compiler, ['-b', 'libs/cache/tsconfig.lib.json'], { cwd: repository });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: library });
    [packed] = JSON.parse(stdout) as [Packed];
    const own = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as PackageJson;
    const dependencies = {
      ...Object.fromEntries([...FRAMEWORK, ...CACHE_MANAGER].map((it) => [it, own.devDependencies[it]])),
      '@peregrine/cache': `file:./${packed.filename}`,
    };
    const files = {
      'package.json': JSON.stringify({ name: 'outside', private: true, dependencies }),
      'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['app.mts', 'app.cts'] }),
      'app.mts': APPLICATION,
      'app.cts': APPLICATION,
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

  it.each(['app.mjs', 'app.cjs'])(
    'gives the module, the decorators and CACHE_MANAGER to %s',
    async (file) => {
      const prefix = `peregrine-test-${randomBytes(6).toString('hex')}`;
      const { stdout } = await execute(file, prefix, redisUrl());
      const [first, second] = [1, 2].map((loads) => ({ id: 'k', loads }));
      expect(JSON.parse(stdout)).toEqual({ decorated: [first, first, second], right: true, managed: 1 });
      await removeRedisKeys(redisUrl(), prefix);
    },
    30_000,
  );

  it('keeps its inside to itself', async () => {
    const deep = `import('@peregrine/cache/dist/tiers.js').then(() => 0, (it) => console.log(it.code))`;
    const { stdout } = await execute('-e', deep);
    expect(stdout.trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('serves a program without Nest, where the optional packages are not installed', async () => {
    await without(CACHE_MANAGER);
    const { stdout } = await execute('plain.mjs');
    expect(JSON.parse(stdout)).toEqual({ values: [1, 1, 2, 2], memory: [1, null] });
  });
});
