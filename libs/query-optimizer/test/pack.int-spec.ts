import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TestDatabase } from './test-database.js';

const run = promisify(execFile);
const library = resolve(import.meta.dirname, '..');
const repository = resolve(library, '../..');
const compiler = join(repository, 'node_modules/.bin/tsc');
const FRAMEWORK = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs', 'typeorm'] as const;

/** What a stranger would write, compiled against the packed types. */
const APPLICATION = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { QueryOptimizer, QueryOptimizerModule } from '@peregrine/query-optimizer';
import { poolDriver, queryResultCache } from '@peregrine/query-optimizer/typeorm';
import { expectNoNPlusOne } from '@peregrine/query-optimizer/testing';
import { DataSource, EntitySchema } from 'typeorm';

const url = process.argv[2] ?? '';
const bird = new EntitySchema<{ id: number; name: string }>({
  name: 'bird',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
});

@Module({ imports: [QueryOptimizerModule.forRoot({ pool: { connectionString: url } })] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const optimizer = app.get(QueryOptimizer);
const source = new DataSource({
  type: 'postgres',
  url,
  entities: [bird],
  driver: poolDriver(optimizer.pool),
  cache: { provider: () => queryResultCache(optimizer) },
});
await source.initialize();
const birds = source.getRepository(bird);
const find = () => expectNoNPlusOne(optimizer, () => birds.find({ cache: true }));
const counts = [(await find()).length, (await find()).length];
await birds.save({ id: 2, name: 'peregrine' });
counts.push((await find()).length);
console.log(JSON.stringify({ counts, hits: optimizer.report().cache.hits }));
await source.destroy();
await app.close();
`;

/** Without Nest's modules and without TypeORM. */
const PLAIN = `
import { createQueryOptimizer, PriorityPool } from '@peregrine/query-optimizer';
const connectionString = process.argv[2];
const optimizer = await createQueryOptimizer({ connectionString });
const read = async () => (await optimizer.execute('SELECT name FROM bird WHERE id = $1', [1], { cache: true })).source;
const sources = [await read(), await read()];
await optimizer.execute("UPDATE bird SET name = 'kestrel' WHERE id = $1", [1]);
sources.push(await read());
await optimizer.close();
const pool = new PriorityPool({ connectionString });
const { rows } = await pool.query('SELECT 1 AS one');
await pool.close();
console.log(JSON.stringify({ sources, rows }));
`;
const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  experimentalDecorators: true,
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
  let database: TestDatabase;
  let folder: string;
  let packed: Packed;
  // The outer run may have been started with flags of its own for the tests.
  const execute = async (...args: string[]) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    return (await run(process.execPath, args, { cwd: folder, env })).stdout;
  };

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(
      `CREATE TABLE bird (id int PRIMARY KEY, name text); INSERT INTO bird VALUES (1, 'merlin')`,
    );
    folder = await mkdtemp(join(tmpdir(), 'peregrine-query-optimizer-pack-'));
    await run(compiler, ['-b', 'libs/query-optimizer/tsconfig.lib.json'], { cwd: repository });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: library });
    [packed] = JSON.parse(stdout) as [Packed];
    const own = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as PackageJson;
    const dependencies = {
      ...Object.fromEntries(FRAMEWORK.map((it) => [it, own.devDependencies[it]])),
      '@peregrine/query-optimizer': `file:./${packed.filename}`,
    };
    const files = {
      'package.json': JSON.stringify({ name: 'outside', private: true, dependencies }),
      'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['app.mts'] }),
      'app.mts': APPLICATION,
      'plain.mjs': PLAIN,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
    const types = 'node_modules/@types';
    await symlink(join(repository, types), join(folder, types)).catch(() => undefined);
  }, 240_000);
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  it('ships the built code, its types and the README, and nothing else', () => {
    const paths = packed.files.map((it) => it.path);
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'dist/index.js', 'dist/index.d.ts', 'package.json']),
    );
    expect(
      paths.filter((it) => !/^(README\.md|LICENSE|package\.json|dist\/.*\.(js|d\.ts))$/.test(it)),
    ).toEqual([]);
  });

  it('serves Nest and TypeORM, by its packed types', async () => {
    await expect(run(compiler, ['-p', folder], { cwd: folder })).resolves.toMatchObject({ stdout: '' });
    expect(JSON.parse(await execute('app.mjs', database.url))).toEqual({ counts: [1, 1, 2], hits: 1 });
  }, 120_000);

  it('keeps its inside to itself', async () => {
    const deep = `import('@peregrine/query-optimizer/dist/pool/opener.js').then(() => 0, (it) => console.log(it.code))`;
    expect((await execute('-e', deep)).trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('serves a program without Nest, where TypeORM is not installed', async () => {
    await rm(join(folder, 'node_modules/typeorm'), { recursive: true });
    expect(JSON.parse(await execute('plain.mjs', database.url))).toEqual({
      sources: ['database', 'cache', 'database'],
      rows: [{ one: 1 }],
    });
  }, 60_000);
});
