import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import { z } from 'zod';
import { createTaskQueue, defineTask, PgTransactions, type StandaloneTaskQueue } from '../src/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { OPERATION_TIMEOUT_MS, until, WAIT } from './probe-app.js';
import { ownDatabase, ownPool, postgresStore, redisStore } from './stores.js';
import { buildLibrary } from './worker-process.js';

jest.setTimeout(120_000);

const pay = defineTask({ name: 'crash.pay', payload: z.strictObject({ order: z.string() }) });

let database: Awaited<ReturnType<typeof ownDatabase>>;
let pool: pg.Pool;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  await buildLibrary();
  database = await ownDatabase();
  pool = ownPool({ connectionString: database.url });
  await pool.query('CREATE TABLE orders (id text PRIMARY KEY)');
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

afterAll(async () => {
  await pool?.end();
  await database?.remove();
});

const count = async (sql: string, values: unknown[]) => (await pool.query(sql, values)).rowCount;

async function openWorker(
  store: Pick<ContractStore, 'backend' | 'prefix'>,
  runs: string[],
): Promise<StandaloneTaskQueue & { readonly transactions: PgTransactions }> {
  const transactions = new PgTransactions(pool);
  const queue = await createTaskQueue({
    backend: store.backend,
    prefix: store.prefix,
    transactions,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    tasks: [{ definition: pay, handler: ({ order }) => Promise.resolve(runs.push(order)) }],
  });
  cleanUps.push(() => queue.close());
  return Object.assign(queue, { transactions });
}

describe.each([
  ['Redis', redisStore],
  ['another PostgreSQL', postgresStore],
])('a process that is killed, with the tasks in %s,', (_name, createStore: () => Promise<ContractStore>) => {
  it.each([
    ['before the commit', 0],
    ['before the store', 1],
    ['before the deletion', 1],
    ['before the commit of the deletion', 1],
  ])('%s: its order and its task have happened %d times', async (point, times) => {
    const store = await createStore();
    cleanUps.push(store.remove);
    const id = `${store.prefix}-${times}-${point.replaceAll(' ', '-')}`;
    await killAt(point, { ...store, databaseUrl: database.url, id });

    const runs: string[] = [];
    const queue = await openWorker(store, runs);
    if (times === 1) await queue.waitFor(pay, id, WAIT);
    await until(async () => (await count('SELECT FROM task_outbox WHERE queue = $1', [store.prefix])) === 0);
    // Submitted after it and less urgent, so a second run would have been before its end.
    const last = await queue.transactions.run(() =>
      queue.submit(pay, { order: 'last' }, { priority: 'BATCH' }),
    );
    await queue.waitFor(pay, last.id, WAIT);
    expect(runs.filter((it) => it === id)).toHaveLength(times);
    expect(await count('SELECT FROM orders WHERE id = $1', [id])).toBe(times);
  });
});

describe('a Redis that is away', () => {
  it('stops no transaction; its tasks run when it is back', async () => {
    const store = await redisStore();
    cleanUps.push(store.remove);
    const proxy = new CuttableProxy(new URL(store.backend.url));
    const url = await proxy.open();
    cleanUps.push(() => proxy.cut());
    const runs: string[] = [];
    const { prefix } = store;
    const queue = await openWorker({ prefix, backend: { type: 'redis', url } }, runs);
    const first = await queue.submit(pay, { order: 'before' });
    await queue.waitFor(pay, first.id, WAIT);
    await proxy.cut();
    const orders = Array.from({ length: 20 }, (_, number) => `away-${number}`);
    for (const order of orders) {
      await queue.transactions.run(() => queue.submit(pay, { order }, { id: order }));
    }
    expect(await count('SELECT FROM task_outbox WHERE queue = $1', [prefix])).toBe(orders.length);
    await proxy.open();
    for (const order of orders) await queue.waitFor(pay, order, WAIT);
    expect(runs.slice(1).sort()).toEqual(orders.sort());
  });
});

async function killAt(point: string, given: Record<string, unknown>): Promise<void> {
  const fixture = fileURLToPath(new URL('./fixtures/outbox-caller.mjs', import.meta.url));
  const { backend, prefix, databaseUrl, id } = given;
  const settings = JSON.stringify({ backend, prefix, databaseUrl, id, point });
  const child = spawn(process.execPath, [fixture, settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== `at ${point}`) continue;
    child.kill('SIGKILL');
    break;
  }
  await closed;
}
