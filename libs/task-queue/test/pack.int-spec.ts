import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresStore, redisStore } from './stores.js';
import { buildLibrary } from './worker-process.js';

const run = promisify(execFile);
const library = resolve(import.meta.dirname, '..');
const repository = resolve(library, '../..');
const compiler = join(repository, 'node_modules/.bin/tsc');
const FRAMEWORK = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'] as const;

/** What a stranger would write; compiled against the packed types, as an ES module and as CommonJS. */
const APPLICATION = `
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type BatchItem, type BatchTaskExecutor, createTaskQueue, defineTask, TaskHandler, type TaskContext, type TaskExecutor,
  type TaskPayload, TaskQueue, TaskQueueModule, type TaskQueueOptionsInput,
} from '@peregrine/task-queue';
import { z } from 'zod';

const double = defineTask({ name: 'outside.double', payload: z.strictObject({ number: z.int() }), priority: 'HIGH' });
const sum = defineTask({
  name: 'outside.sum',
  payload: z.strictObject({ number: z.int() }),
  batch: { size: 3, maxWaitMs: 50 },
});

@TaskHandler(double)
@Injectable()
class DoubleHandler implements TaskExecutor<typeof double, number> {
  async execute({ number }: TaskPayload<typeof double>, { attempt }: TaskContext): Promise<number> {
    return 2 * number * attempt;
  }
}

@TaskHandler(sum)
@Injectable()
class SumHandler implements BatchTaskExecutor<typeof sum, number> {
  async executeBatch(items: readonly BatchItem<typeof sum>[]) {
    return items.map(({ payload }) => ({ ok: true as const, value: payload.number + 1 }));
  }
}

const [backend, prefix] = JSON.parse(process.argv[2] ?? '') as [TaskQueueOptionsInput['backend'], string];

@Module({
  imports: [TaskQueueModule.forRoot({ backend, prefix, tasks: [double, sum], worker: { concurrency: 2 } })],
  providers: [DoubleHandler, SumHandler],
})
class AppModule {}

const ask = async (queue: TaskQueue): Promise<number[]> => {
  const { id } = await queue.submit(double, { number: 21 });
  const others = await queue.submitBatch(sum, [{ number: 1 }, { number: 2 }]);
  const results = [await queue.waitFor<number>(double, id, { timeoutMs: 40_000 })];
  for (const other of others) results.push(await queue.waitFor<number>(sum, other.id, { timeoutMs: 40_000 }));
  return results;
};

const main = async () => {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const nest = await ask(app.get(TaskQueue));
  await app.close();
  const queue = await createTaskQueue({
    backend,
    prefix: prefix + '.plain',
    tasks: [
      { definition: double, handler: async ({ number }) => 2 * number },
      { definition: sum, handler: new SumHandler() },
    ],
  });
  const plain = await ask(queue);
  // @ts-expect-error its payload has no such field
  await queue.submit(double, { numbers: 1 }).catch((error: { code: string }) => console.log(JSON.stringify({ nest, plain, code: error.code })));
  await queue.close();
};
main().catch((error) => { console.error(error); process.exitCode = 1; });
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
  readonly dependencies: Record<string, string>;
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

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-task-queue-pack-'));
    await buildLibrary();
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: library });
    [packed] = JSON.parse(stdout) as [Packed];
    const own = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as PackageJson;
    const dependencies = {
      ...Object.fromEntries(FRAMEWORK.map((it) => [it, own.devDependencies[it]])),
      zod: own.dependencies['zod'],
      '@peregrine/task-queue': `file:./${packed.filename}`,
    };
    const files = {
      'package.json': JSON.stringify({ name: 'outside', private: true, dependencies }),
      'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['app.mts', 'app.cts'] }),
      'app.mts': APPLICATION,
      'app.cts': APPLICATION,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
    const types = 'node_modules/@types';
    await symlink(join(repository, types), join(folder, types)).catch(() => undefined);
    await run(compiler, ['-p', folder], { cwd: folder });
  }, 240_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('ships the built code, its types and the README, and nothing else', () => {
    const paths = packed.files.map((it) => it.path);
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'dist/index.js', 'dist/index.d.ts', 'package.json']),
    );
    const allowed = /^(README\.md|LICENSE|package\.json|dist\/.*\.(js|d\.ts))$/;
    expect(paths.filter((it) => !allowed.test(it))).toEqual([]);
  });

  it.each([
    ['app.mjs', 'Redis', redisStore],
    ['app.cjs', 'Redis', redisStore],
    ['app.mjs', 'PostgreSQL', postgresStore],
    ['app.cjs', 'PostgreSQL', postgresStore],
  ] as const)(
    'runs the handlers of %s on %s, with Nest and without',
    async (file, _name, open) => {
      const store = await open();
      const { stdout } = await execute(file, JSON.stringify([store.backend, store.prefix]));
      const code = 'TASK_QUEUE_INVALID_PAYLOAD';
      expect(JSON.parse(stdout)).toEqual({ nest: [42, 2, 3], plain: [42, 2, 3], code });
      await store.remove();
    },
    120_000,
  );

  it('keeps its inside to itself', async () => {
    const deep = `import('@peregrine/task-queue/dist/deadline.js').then(() => 0, (it) => console.log(it.code))`;
    const { stdout } = await execute('-e', deep);
    expect(stdout.trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
