import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { defineTask } from '../src/index.js';
import {
  assertSurvived,
  torture,
  TortureFailedError,
  type TortureOptions,
  type TortureProgress,
  TortureSetupError,
} from '../src/testing/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { serviceUrl } from './probe-app.js';
import { RedisServer } from './proof/harness/redis-server.js';
import { postgresStore, redisStore } from './stores.js';
import { buildLibrary } from './worker-process.js';

jest.setTimeout(180_000);

// As in the fixture, where the workers have them from.
const payload = z.strictObject({ number: z.int() });
const single = defineTask({ name: 'torture.single', payload, attempts: 2 });
const batch = defineTask({ name: 'torture.batch', payload, batch: { size: 10, maxWaitMs: 20 } });
const deadly = defineTask({ name: 'torture.deadly', payload });

const module = new URL('./fixtures/torture-tasks.mjs', import.meta.url);
const calm = { kill: false, blockLoop: false, pauseStore: false } as const;

const numbered = (definition: typeof single, count: number) =>
  Array.from({ length: count }, (_, number) => ({ definition, payload: { number }, id: `${number}` }));

beforeAll(buildLibrary, 120_000);

describe.each([
  ['Redis', redisStore],
  ['PostgreSQL', postgresStore],
])('torture on %s', (_name, createStore: () => Promise<ContractStore>) => {
  let store: ContractStore;

  const start = async (options: Omit<TortureOptions, 'backend' | 'module'> & { module?: URL }) => {
    store = await createStore();
    return torture({ module, ...options, backend: store.backend, prefix: `${store.prefix}-torture` });
  };

  afterEach(() => store.remove());

  it('does all its harm, and finds all tasks completed', async () => {
    const seen: TortureProgress[] = [];
    const report = await start({
      submissions: [...numbered(single, 200), ...numbered(batch, 200)],
      faults: {
        kill: { everyMs: [200, 500] },
        blockLoop: { everyMs: [500, 1_500], forMs: [500, 1_500] },
        pauseStore: { everyMs: [500, 1_500], forMs: [100, 500] },
      },
      // All that happens happens early, so that a slow machine has the rest of the time to finish.
      faultsForMs: 10_000,
      timeoutMs: 150_000,
      onProgress: (it) => seen.push(it),
    });
    assertSurvived(report);
    expect(report).toMatchObject({ completed: 400, lost: [], stuck: [], phantoms: [], sharedFences: [] });
    expect(report.kills + report.blockedLoops).toBeGreaterThan(0);
    expect(report.storePauses).toBeGreaterThan(0);
    expect(report.executions).toBeGreaterThanOrEqual(400);
    expect(seen.at(-1)).toMatchObject({ submitted: 400, left: 0, kills: report.kills });
  });

  it('tells what its handler failed', async () => {
    const report = await start({
      submissions: [
        { definition: single, payload: { number: -1 }, id: 'throws-once' },
        { definition: single, payload: { number: -2 }, id: 'throws' },
      ],
      faults: calm,
    });
    expect(report.failed).toMatchObject([{ id: 'throws', executions: 2, threw: 2, error: 'as asked' }]);
    expect(report).toMatchObject({ completed: 1, crashes: 0, poisoned: [] });
    expect(() => assertSurvived(report, { failed: 1 })).not.toThrow();
    expect(() => assertSurvived(report)).toThrow(TortureFailedError);
  });

  it('tells what killed its workers', async () => {
    const report = await start({
      submissions: [{ definition: deadly, payload: { number: 0 }, id: 'kills' }],
      faults: calm,
      worker: { maxStalledCount: 1 },
    });
    expect(report.poisoned).toMatchObject([{ id: 'kills', state: 'failed', returned: 0, threw: 0 }]);
    expect(report.crashes).toBe(report.executions);
    expect(report).toMatchObject({ failed: [], lost: [] });
    expect(() => assertSurvived(report, { poisoned: 1 })).not.toThrow();
    expect(() => assertSurvived(report)).toThrow(
      /1 failed because their workers died: torture.deadly\/kills/,
    );
  });

  it('tells what is stuck, and why', async () => {
    const stranger = defineTask({ name: 'torture.stranger', payload });
    const report = await start({
      submissions: [{ definition: stranger, payload: { number: 1 }, id: 'nobody' }],
      faults: calm,
      timeoutMs: 5_000,
    });
    expect(report.stuck).toMatchObject([{ task: 'torture.stranger', id: 'nobody', executions: 0 }]);
    expect(() => assertSurvived(report)).toThrow(/1 stuck: not ended in time: torture.stranger\/nobody/);
  });
});

describe('torture on a Redis of its own', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.remove());

  it.each(['cut', 'client-pause', 'SIGSTOP'] as const)('survives its absence by %s', async (kind) => {
    const by = kind === 'SIGSTOP' ? { pid: server.pid } : kind;
    const report = await torture({
      backend: { type: 'redis', url: server.url },
      module,
      submissions: numbered(single, 200),
      faults: { kill: false, blockLoop: false, pauseStore: { everyMs: [50, 200], forMs: [200, 1_500], by } },
      faultsForMs: 5_000,
    });
    assertSurvived(report);
    expect(report.completed).toBe(200);
    expect(report.storePauses).toBeGreaterThan(0);
  });
});

describe('torture', () => {
  const url = serviceUrl('REDIS_URL');
  const backend = { type: 'redis', url } as const;
  const submissions = [{ definition: single, payload: { number: 1 } }];

  it('leaves nothing in the store', async () => {
    const prefix = `torture-tidy-${process.pid}`;
    await torture({ backend, module, submissions, faults: calm, prefix });
    const redis = new Redis(url);
    expect(await redis.keys(`{${prefix}}*`)).toEqual([]);
    await redis.quit();
  });

  it.each([
    ['that is not there', 'nowhere.mjs', /nowhere\.mjs/],
    ['that exports no tasks', 'no-tasks.mjs', /exports no list `tasks`/],
  ])('refuses a module %s, and says what the worker said', async (_name, file, message) => {
    const wrong = new URL(`./fixtures/${file}`, import.meta.url);
    const refused = torture({ backend, module: wrong, submissions, faults: calm });
    await expect(refused).rejects.toThrow(TortureSetupError);
    await expect(refused).rejects.toThrow(message);
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(torture({ backend, module, submissions, faults: calm, signal })).rejects.toThrow('enough');
  });

  it.each([
    ['no submissions', { submissions: [] }],
    ['an interval the wrong way round', { faults: { kill: { everyMs: [5, 1] as const } } }],
    ['an unknown fault', { faults: { earthquake: {} } as never }],
  ])('refuses %s', async (_name, wrong) => {
    await expect(torture({ backend, module, submissions, ...wrong })).rejects.toThrow(TortureSetupError);
  });

  it('refuses to pause the clients of a PostgreSQL', async () => {
    const postgres = { type: 'postgres', url: serviceUrl('DATABASE_URL') } as const;
    const faults = { pauseStore: { by: 'client-pause' } } as const;
    await expect(torture({ backend: postgres, module, submissions, faults })).rejects.toThrow(/client-pause/);
  });
});
