import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Type } from '@nestjs/common';
import type pg from 'pg';
import { PgTransactions, TaskHandlerMissingError, TransactionRolledBackError } from '../../src/index.js';
import { type ProbeApp, type ProbeOptions, startProbeApp, until, WAIT } from '../probe-app.js';
import { batched, single, unique } from '../probe-tasks.js';
import { ownPool } from '../stores.js';
import { type ContractStore } from './task-queue-contract.js';

/** A store, and the database that the application has its transactions in: the store's own, or another. */
export interface TransactionsSetup {
  readonly store: ContractStore;
  readonly databaseUrl: string;
  readonly remove: () => Promise<void>;
}

/** What a test has at hand. */
export interface TransactionsProbe extends ProbeApp {
  readonly transactions: PgTransactions;
  readonly pool: pg.Pool;
}

/** The rest of a setup's tests: what holds only there. */
export type MoreTests = (start: Start, setup: () => TransactionsSetup) => void;

/** An application with a worker on keys, or a queue, of its own; closed after the test. */
export type Start = (
  options?: Partial<ProbeOptions>,
  providers?: readonly Type[],
) => Promise<TransactionsProbe>;

const outside = AsyncLocalStorage.snapshot();

/** What holds for a task that is submitted in a transaction, wherever the store is. */
export function runTransactionsContract(
  name: string,
  createSetup: () => Promise<TransactionsSetup>,
  more: MoreTests = () => undefined,
): void {
  jest.setTimeout(60_000);

  describe(`a transaction with ${name}`, () => {
    let setup: TransactionsSetup;
    let pool: pg.Pool;
    let count = 0;
    const opened: ProbeApp[] = [];

    const start: Start = async (options = {}, providers = undefined) => {
      const transactions = new PgTransactions(pool);
      const { store } = setup;
      const shared = { backend: store.backend, worker: true, prefix: `${store.prefix}.${count++}` };
      const app = await startProbeApp({ ...shared, ...options, transactions }, providers);
      opened.push(app);
      return { ...app, transactions, pool };
    };

    beforeAll(async () => {
      setup = await createSetup();
      pool = ownPool({ connectionString: setup.databaseUrl });
      await pool.query('CREATE TABLE orders (id text PRIMARY KEY)');
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map(({ app }) => app.close()));
    });

    afterAll(async () => {
      await pool.end();
      await setup.remove();
    });

    describeCommits(start);
    describeFailures(start);
    describeInline(start);
    more(start, () => setup);
  });
}

function describeCommits(start: Start): void {
  it('runs a task when it has committed, and not before', async () => {
    const { queue, probe, transactions } = await start();
    await transactions.run(async (client) => {
      await client.query(`INSERT INTO orders VALUES ('paid')`);
      await queue.submit(single, { key: 'inside' }, { id: 'inside' });
      // Submitted later and outside, so the other would have run by its end.
      const other = await outside(() => queue.submit(single, { key: 'outside' }));
      await queue.waitFor(single, other.id, WAIT);
      expect(probe.callsOf('inside')).toBe(0);
      expect((await queue.stats()).submitted).toBe(1);
    });
    expect(await queue.waitFor(single, 'inside', WAIT)).toBe('inside');
    expect(probe.callsOf('inside')).toBe(1);
    expect((await queue.stats()).submitted).toBe(2);
  });

  it('submits nothing when it rolls back', async () => {
    const { queue, probe, transactions } = await start();
    const order = transactions.run(async () => {
      await queue.submit(single, { key: 'lost' }, { id: 'lost' });
      await queue.submitBatch(single, [{ key: 'lost' }, { key: 'lost' }]);
      await queue.submitMany([{ definition: unique, payload: { key: 'lost' } }]);
      throw new Error('no money');
    });
    await expect(order).rejects.toThrow('no money');
    expect(await queue.status(single, 'lost')).toBeNull();
    const { id } = await queue.submit(single, { key: 'after' });
    await queue.waitFor(single, id, WAIT);
    expect(probe.callsOf('lost')).toBe(0);
    expect(await queue.stats()).toMatchObject({ submitted: 1, completed: 1, pending: 0 });
  });

  it('takes every way to submit', async () => {
    const { queue, probe, transactions } = await start();
    const ids = await transactions.run(async () => {
      const one = await queue.submit(single, { key: 'one' }, { priority: 'HIGH' });
      const many = await queue.submitBatch(batched, [{ number: 1 }, { number: 2 }]);
      const [two] = await queue.submitMany([
        { definition: unique, payload: { key: 'two' }, delayMs: 10, idempotencyKey: 'two' },
      ]);
      return { one, many, two: two! };
    });
    expect(await queue.waitFor(single, ids.one.id, WAIT)).toBe('one');
    expect(await queue.status(single, ids.one.id)).toMatchObject({ priority: 'HIGH' });
    for (const { id } of ids.many) await queue.waitFor(batched, id, WAIT);
    expect(await queue.waitFor(unique, ids.two.id, WAIT)).toBe('two');
    expect(probe.callsOf('two')).toBe(1);
  });

  it('runs what has the same id once', async () => {
    const { queue, probe, transactions } = await start();
    const submit = () => transactions.run(() => queue.submit(single, { key: 'once' }, { id: 'once' }));
    await Promise.all([submit(), submit(), submit()]);
    await queue.waitFor(single, 'once', WAIT);
    await submit();
    const { id } = await transactions.run(() => queue.submit(single, { key: 'last' }, { priority: 'BATCH' }));
    await queue.waitFor(single, id, WAIT);
    expect(probe.callsOf('once')).toBe(1);
  });

  it('runs a duplicate by its key once, also when both are submitted in it', async () => {
    const { queue, probe, transactions } = await start();
    await queue.pause();
    const first = await transactions.run(async () => {
      const { id } = await queue.submit(unique, { key: 'dup' });
      await queue.submit(unique, { key: 'dup' });
      return id;
    });
    await transactions.run(() => queue.submit(unique, { key: 'dup' }));
    const last = await transactions.run(() => queue.submit(single, { key: 'last' }, { priority: 'BATCH' }));
    await until(async () => (await queue.explain(single, last.id)).reason === 'paused');
    await queue.resume();
    await queue.waitFor(unique, first, WAIT);
    await queue.waitFor(single, last.id, WAIT);
    expect(probe.callsOf('dup')).toBe(1);
  });

  it('keeps the search path and the settings of the caller', async () => {
    const { queue, transactions } = await start();
    await transactions.run(async (client) => {
      await client.query('SET LOCAL search_path = public, pg_catalog');
      await queue.submit(single, { key: 'a' });
      await queue.submitBatch(single, [{ key: 'b' }, { key: 'c' }]);
      const { rows } = await client.query('SHOW search_path');
      expect(rows).toEqual([{ search_path: 'public, pg_catalog' }]);
    });
  });
}

function describeFailures(start: Start): void {
  it('submits what a savepoint before it leaves, and not what is rolled back to it', async () => {
    const { queue, probe, transactions } = await start();
    await transactions.run(async (client) => {
      await queue.submit(single, { key: 'kept' }, { id: 'kept' });
      await client.query('SAVEPOINT before');
      await queue.submit(single, { key: 'undone' }, { id: 'undone' });
      await client.query('ROLLBACK TO SAVEPOINT before');
      await queue.submit(single, { key: 'after' }, { id: 'after', priority: 'BATCH' });
    });
    await queue.waitFor(single, 'kept', WAIT);
    await queue.waitFor(single, 'after', WAIT);
    expect(probe.callsOf('undone')).toBe(0);
    expect(await queue.status(single, 'undone')).toBeNull();
  });

  it('fails when a submission in it fails, even if its error is caught', async () => {
    const { queue, transactions, pool } = await start();
    const order = transactions.run(async (client) => {
      await client.query(`INSERT INTO orders VALUES ('poisoned')`);
      await client.query('SELECT 1 / 0').catch(() => undefined);
      const submitted = queue.submit(single, { key: 'x' }, { id: 'poisoned' });
      await expect(submitted).rejects.toMatchObject({ code: '25P02' });
    });
    await expect(order).rejects.toThrow(TransactionRolledBackError);
    expect(await queue.status(single, 'poisoned')).toBeNull();
    expect((await pool.query(`SELECT FROM orders WHERE id = 'poisoned'`)).rowCount).toBe(0);
  });

  it('submits once when it is run again after a serialization failure', async () => {
    const { queue, probe, transactions } = await start();
    let runs = 0;
    const attempt = () =>
      transactions.run(async () => {
        await queue.submit(single, { key: 'again' }, { id: 'again' });
        if (++runs === 1) throw Object.assign(new Error('could not serialize access'), { code: '40001' });
      });
    await expect(attempt()).rejects.toMatchObject({ code: '40001' });
    await attempt();
    await queue.waitFor(single, 'again', WAIT);
    expect(probe.callsOf('again')).toBe(1);
    expect((await queue.stats()).submitted).toBe(1);
  });

  it('takes part in one of a higher isolation', async () => {
    const { queue, transactions } = await start();
    const begin = 'BEGIN ISOLATION LEVEL SERIALIZABLE';
    const { id } = await transactions.run(() => queue.submit(single, { key: 'serial' }), { begin });
    expect(await queue.waitFor(single, id, WAIT)).toBe('serial');
    await until(async () => (await queue.stats()).pending === 0);
  });
}

function describeInline(start: Start): void {
  it('runs an inline task after the commit, and never after a rollback', async () => {
    const { queue, probe, transactions } = await start({ asynchronous: false, worker: false });
    const lost = transactions.run(async () => {
      await queue.submit(single, { key: 'lost' });
      throw new Error('no money');
    });
    await expect(lost).rejects.toThrow('no money');
    await transactions.run(async () => {
      await queue.submit(single, { key: 'inline' }, { id: 'inline' });
      expect(probe.callsOf('inline')).toBe(0);
    });
    expect(await queue.result(single, 'inline')).toBe('inline');
    expect(probe.calls).toEqual([{ key: 'inline', attempt: 1 }]);
  });

  it('completes an inline task with the transaction of its handler', async () => {
    const { queue, probe, transactions } = await start({ asynchronous: false, worker: false });
    probe.singles.set('exact', async (ctx) => {
      await transactions.run(() => ctx.completeInTransaction('by commit'));
      throw new Error('too late');
    });
    const { id } = await queue.submit(single, { key: 'exact' });
    expect(await queue.result(single, id)).toBe('by commit');
    expect(probe.callsOf('exact')).toBe(1);
  });

  it('refuses an inline task without a handler before the commit', async () => {
    const { queue, transactions } = await start({ asynchronous: false, worker: false }, []);
    const order = transactions.run(() => queue.submit(single, { key: 'a' }));
    await expect(order).rejects.toThrow(TaskHandlerMissingError);
  });
}
