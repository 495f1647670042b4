import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import {
  type BatchItem,
  createTaskQueue,
  defineTask,
  InvalidTaskQueueOptionsError,
  TaskCancelledError,
  TaskHandlerProblemsError,
} from '../src/index.js';
import { OPERATION_TIMEOUT_MS, until, WAIT } from './probe-app.js';
import { postgresStore, redisStore } from './stores.js';

jest.setTimeout(60_000);

const double = defineTask({ name: 'plain.double', payload: z.strictObject({ number: z.int() }) });
const sum = defineTask({
  name: 'plain.sum',
  payload: z.strictObject({ number: z.int() }),
  batch: { size: 5, maxWaitMs: 20 },
});

/** A batch handler that is an object of a class, without a decorator. */
class SumHandler {
  executeBatch(items: readonly BatchItem<typeof sum>[]) {
    const total = items.reduce((of, { payload }) => of + payload.number, 0);
    return Promise.resolve(items.map(() => ({ ok: true as const, value: total })));
  }
}

const tasks = [
  { definition: double, handler: ({ number }: { number: number }) => Promise.resolve(number * 2) },
  { definition: sum, handler: new SumHandler() },
] as const;

describe('a task queue without Nest', () => {
  const cleanUps: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  it.each([
    ['redis', redisStore],
    ['postgres', postgresStore],
  ] as const)('submits and runs on %s', async (backend, createStore) => {
    const store = await createStore();
    cleanUps.push(store.remove);
    const { prefix } = store;
    const options = {
      backend,
      connection: store.backend.url,
      prefix,
      operationTimeoutMs: OPERATION_TIMEOUT_MS,
    };
    const queue = await createTaskQueue({ ...options, tasks });
    cleanUps.push(() => queue.close());
    const { id } = await queue.submit(double, { number: 21 });
    expect(await queue.waitFor(double, id, WAIT)).toBe(42);
    const ids = await queue.submitBatch(sum, [
      { number: 1 },
      { number: 2 },
      { number: 3 },
      { number: 4 },
      { number: 5 },
    ]);
    for (const it of ids) expect(await queue.waitFor(sum, it.id, WAIT)).toBeGreaterThan(0);
  });

  it('runs inline without any store, schedules and cancellation included', async () => {
    const queue = await createTaskQueue({ backend: 'inline', tasks });
    cleanUps.push(() => queue.close());
    const { id } = await queue.submit(double, { number: 4 });
    expect(await queue.result(double, id)).toBe(8);
    const later = await queue.submit(double, { number: 5 }, { delayMs: 60_000 });
    expect(await queue.stats()).toMatchObject({ pending: 1, running: 0 });
    await queue.cancel(double, later.id);
    await expect(queue.waitFor(double, later.id, WAIT)).rejects.toThrow(TaskCancelledError);
    await queue.schedule('each-second', double, { number: 6 }, { cron: '* * * * * *' });
    await until(async () => (await queue.stats()).completed >= 2);
    expect(await queue.schedules()).toHaveLength(1);
    await queue.ready();
  });

  it('only submits where it has no worker', async () => {
    const store = await redisStore();
    cleanUps.push(store.remove);
    const { prefix, backend } = store;
    const queue = await createTaskQueue({ backend, prefix, worker: false, tasks: [{ definition: double }] });
    cleanUps.push(() => queue.close());
    const { id } = await queue.submit(double, { number: 1 });
    expect(await queue.explain(double, id)).toMatchObject({ reason: 'waiting', ahead: 0 });
  });

  it('refuses what does not fit together', async () => {
    const missing = createTaskQueue({
      backend: 'redis',
      connection: 'redis://localhost',
      tasks: [{ definition: double }],
    });
    await expect(missing).rejects.toThrow(TaskHandlerProblemsError);
    const wrongKind = { definition: sum, handler: () => Promise.resolve() };
    await expect(createTaskQueue({ backend: 'inline', tasks: [wrongKind] })).rejects.toThrow('executeBatch');
    await expect(createTaskQueue({ backend: 'postgres', tasks: [] })).rejects.toThrow(
      InvalidTaskQueueOptionsError,
    );
  });
});
