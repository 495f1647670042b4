import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QueueUnavailableError, type TaskQueueOptionsInput } from '../src/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { gate, type ProbeApp, startProbeApp, until, WAIT } from './probe-app.js';
import { single } from './probe-tasks.js';
import { postgresStore, redisStore } from './stores.js';

jest.setTimeout(60_000);

describe.each([
  ['Redis', redisStore],
  ['PostgreSQL', postgresStore],
])('when %s goes away', (_name, createStore: () => Promise<ContractStore>) => {
  let store: ContractStore;
  let proxy: CuttableProxy;
  let backend: TaskQueueOptionsInput['backend'];
  let current: ProbeApp | undefined;

  const start = async (options: Partial<TaskQueueOptionsInput> = {}) => {
    current = await startProbeApp({
      backend,
      prefix: store.prefix,
      operationTimeoutMs: 2_000,
      closeTimeoutMs: 500,
      ...options,
    });
    return current;
  };

  beforeEach(async () => {
    store = await createStore();
    // Creates the tables, which may take longer than what the tests wait for an answer.
    const { app, queue } = await startProbeApp({ backend: store.backend, prefix: store.prefix });
    await queue.stats();
    await app.close();
    proxy = new CuttableProxy(new URL(store.backend.url));
    backend = { ...store.backend, url: await proxy.open() };
  });

  afterEach(async () => {
    await current?.app.close();
    current = undefined;
    await proxy.cut();
    await store.remove();
  });

  it('starts without it, says so, and takes up its work when it is there', async () => {
    await proxy.cut();
    const { queue, probe } = await start({ worker: true });
    await expect(queue.submit(single, { key: 'early' })).rejects.toThrow(QueueUnavailableError);
    await expect(queue.ready()).rejects.toThrow(QueueUnavailableError);
    expect(await queue.stats()).toMatchObject({ pending: null, running: null });
    await proxy.open();
    const { id } = await submitWhenPossible(queue);
    expect(await queue.waitFor(single, id, WAIT)).toBe('after');
    await queue.ready();
    expect(probe.callsOf('early')).toBe(0);
  });

  it('completes once what ran meanwhile, and goes on', async () => {
    const { queue, probe } = await start({ worker: { concurrency: 2, lockDurationMs: 30_000 } });
    const { opened, open } = gate();
    probe.singles.set('running', () => opened);
    const { id } = await submitWhenPossible(queue, 'running');
    await until(() => probe.callsOf('running') === 1);
    await proxy.cut();
    await expect(queue.submit(single, { key: 'meanwhile' })).rejects.toThrow(QueueUnavailableError);
    open();
    await expect(queue.status(single, id)).rejects.toThrow(QueueUnavailableError);
    await proxy.open();
    await queue.waitFor(single, id, WAIT);
    expect(await queue.status(single, id)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(probe.callsOf('running')).toBe(1);
    const after = await submitWhenPossible(queue);
    await queue.waitFor(single, after.id, WAIT);
  });

  it('gives up on a server that accepts and does not answer', async () => {
    const { queue } = await start();
    await submitWhenPossible(queue);
    proxy.block();
    await expect(queue.submit(single, { key: 'hung' })).rejects.toThrow(QueueUnavailableError);
    await expect(queue.ready()).rejects.toThrow(QueueUnavailableError);
    proxy.unblock();
    await submitWhenPossible(queue);
  });

  it('stops a worker although it is gone', async () => {
    const { app, queue, probe } = await start({ worker: true });
    probe.singles.set('held', () => new Promise(() => undefined));
    await submitWhenPossible(queue, 'held');
    await until(() => probe.callsOf('held') === 1);
    await proxy.cut();
    await app.close();
    current = undefined;
  });

  async function submitWhenPossible(queue: ProbeApp['queue'], key = 'after'): Promise<{ id: string }> {
    for (;;) {
      try {
        return await queue.submit(single, { key }, { id: key });
      } catch (error) {
        if (!(error instanceof QueueUnavailableError)) throw error;
      }
    }
  }
});
