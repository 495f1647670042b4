import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createTaskQueue, defineTask, type StandaloneTaskQueue } from '../src/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { OPERATION_TIMEOUT_MS, until } from './probe-app.js';
import { postgresStore, redisStore } from './stores.js';
import { buildLibrary, KeptWorker } from './worker-process.js';

const nature = z.enum(['innocent', 'kills', 'blocks']);
const payload = z.strictObject({ number: z.int(), nature });
const single = defineTask({ name: 'poison.single', payload, attempts: 1, maxCrashes: 2 });
const batch = defineTask({
  name: 'poison.batch',
  payload,
  attempts: 1,
  maxCrashes: 1,
  batch: { size: 20, maxWaitMs: 200 },
});

interface Submitted {
  readonly definition: typeof single;
  readonly id: string;
  readonly number: number;
  readonly nature: z.infer<typeof nature>;
}

const POISON = 9;
/** As the README says: once with all, once for each smaller group, and `maxCrashes` times alone. */
const MOST_DEATHS = new Map([
  [single, 1 + 1 + 2],
  [batch, 1 + 2 + 1],
]);

describe('a task that ends its workers', () => {
  beforeAll(buildLibrary, 120_000);

  it.each([
    ['kills', 'Redis', redisStore],
    ['kills', 'PostgreSQL', postgresStore],
    ['blocks', 'Redis', redisStore],
    ['blocks', 'PostgreSQL', postgresStore],
  ] as const)(
    'or %s them, is told from its neighbours on %s',
    async (how, _name, createStore: () => Promise<ContractStore>) => {
      const store = await createStore();
      const { backend, prefix } = store;
      const queue = await createTaskQueue({
        backend,
        prefix,
        worker: false,
        operationTimeoutMs: OPERATION_TIMEOUT_MS,
        tasks: [{ definition: single }, { definition: batch }],
      });
      const runs: string[] = [];
      const lockDurationMs = how === 'kills' ? 3_000 : 1_000;
      const input = { fixture: 'poison-worker.mjs', settings: { backend, prefix, lockDurationMs } };
      const workers = [1, 2].map(() => new KeptWorker({ ...input, onLine: (line) => runs.push(line) }));
      // One that is blocked must find another that takes over.
      await until(() => runs.filter((line) => line === 'ready').length === workers.length);
      // To be blocked costs the test its time, so that is in a batch alone.
      const tasks = [
        ...(await submit(queue, batch, how)),
        ...(await submit(queue, single, how === 'kills' ? how : 'innocent')),
      ];
      for (const { definition, id } of tasks) {
        await until(async () => (await queue.status(definition, id))?.finishedAt !== undefined);
      }
      await Promise.all(workers.map((it) => it.stop()));
      for (const it of tasks) await expectEnd(queue, it, runs);
      await queue.close();
      await store.remove();
    },
    180_000,
  );
});

async function submit(
  queue: StandaloneTaskQueue,
  definition: typeof single,
  how: Submitted['nature'],
): Promise<Submitted[]> {
  const items = Array.from({ length: 20 }, (_, number) => ({
    number,
    nature: number === POISON ? how : ('innocent' as const),
  }));
  const added = await queue.submitBatch(definition, items);
  return items.map((it, index) => ({ ...it, definition, id: added[index]!.id }));
}

async function expectEnd(queue: StandaloneTaskQueue, it: Submitted, runs: readonly string[]): Promise<void> {
  const { definition, id, nature, number } = it;
  const ended = await queue.status(definition, id);
  if (nature === 'innocent') return expect(ended).toMatchObject({ state: 'completed', attempts: 1 });
  expect(ended).toMatchObject({
    state: 'failed',
    error: `${definition.name} is poison: its worker died ${definition.maxCrashes} times while it ran there alone`,
  });
  const deaths = runs.filter((line) => line === `${definition.name} ${number}`).length;
  expect(deaths).toBeLessThanOrEqual(MOST_DEATHS.get(definition)!);
}
