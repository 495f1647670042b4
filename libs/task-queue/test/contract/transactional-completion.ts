import { expect, it } from '@jest/globals';
import { TransactionalCompletionError } from '../../src/index.js';
import { gate, until, WAIT } from '../probe-app.js';
import { batched, single, unique } from '../probe-tasks.js';
import { type MoreTests, type TransactionsProbe } from './transactions.js';

const effects = async ({ pool }: TransactionsProbe, id: string): Promise<number> =>
  (await pool.query('SELECT FROM effects WHERE id = $1', [id])).rowCount ?? 0;

/** Where the tasks are in the database of the transactions. */
export const describeCompletion: MoreTests = (start, setup) => {
  const startWithEffects = async (options?: Parameters<typeof start>[0]): Promise<TransactionsProbe> => {
    const app = await start(options);
    await app.pool.query('CREATE TABLE IF NOT EXISTS effects (id text NOT NULL)');
    return app;
  };

  it('completes the task of its handler when it commits', async () => {
    const app = await startWithEffects();
    const { queue, probe, transactions } = app;
    probe.singles.set('exact', async (ctx) => {
      await transactions.run(async (client) => {
        await client.query('INSERT INTO effects VALUES ($1)', [ctx.id]);
        await ctx.completeInTransaction({ paid: true });
        expect(await queue.status(single, ctx.id)).toMatchObject({ state: 'running' });
      });
      expect(await queue.status(single, ctx.id)).toMatchObject({ state: 'completed' });
      return 'dropped';
    });
    const { id } = await queue.submit(single, { key: 'exact' });
    expect(await queue.waitFor(single, id, WAIT)).toEqual({ paid: true });
    await until(async () => (await queue.stats()).completed === 1);
    expect(await queue.stats()).toMatchObject({
      completed: 1,
      failed: 0,
      retries: 0,
      pending: 0,
      running: 0,
    });
    expect(await effects(app, id)).toBe(1);
    // The worker is free for more.
    const next = await queue.submit(single, { key: 'next' });
    expect(await queue.waitFor(single, next.id, WAIT)).toBe('next');
  });

  it('counts a task once whose handler fails after the commit', async () => {
    const { queue, probe, transactions } = await start();
    probe.singles.set('late', async (ctx) => {
      await transactions.run(() => ctx.completeInTransaction('in time'));
      throw new Error('too late');
    });
    const { id } = await queue.submit(single, { key: 'late' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('in time');
    await until(async () => (await queue.stats()).completed === 1);
    expect(await queue.stats()).toMatchObject({ completed: 1, failed: 0, retries: 0 });
    expect(probe.callsOf('late')).toBe(1);
  });

  it('leaves the task to its next attempt when it rolls back', async () => {
    const app = await startWithEffects();
    const { queue, probe, transactions } = app;
    probe.singles.set('twice', (ctx) =>
      transactions.run(async (client) => {
        await client.query('INSERT INTO effects VALUES ($1)', [ctx.id]);
        await ctx.completeInTransaction(ctx.attempt);
        if (ctx.attempt === 1) throw new Error('the first time');
      }),
    );
    const { id } = await queue.submit(single, { key: 'twice' });
    expect(await queue.waitFor(single, id, WAIT)).toBe(2);
    expect(await effects(app, id)).toBe(1);
    await until(async () => (await queue.stats()).completed === 1);
    expect(await queue.stats()).toMatchObject({ completed: 1, retries: 1 });
  });

  it('writes nothing for a worker that has lost the task to another', async () => {
    const app = await startWithEffects({ worker: { stalledIntervalMs: 200 } });
    const { queue, probe, transactions, options } = app;
    const { opened, open } = gate();
    const errors: unknown[] = [];
    probe.singles.set('stolen', async (ctx) => {
      const isFirst = probe.callsOf('stolen') === 1;
      if (isFirst) await opened;
      const done = transactions.run(async (client) => {
        await client.query('INSERT INTO effects VALUES ($1)', [ctx.id]);
        await ctx.completeInTransaction(isFirst ? 'first' : 'second');
      });
      await done.catch((error: unknown) => {
        errors.push(error);
        throw error;
      });
    });
    const { id } = await queue.submit(single, { key: 'stolen' });
    await until(() => probe.callsOf('stolen') === 1);
    await setup().store.stealLock(options.prefix, `probe.single/${id}`);
    open();
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'TASK_QUEUE_OWNERSHIP_LOST' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('second');
    expect(await effects(app, id)).toBe(1);
  });

  it('completes the items of a batch that it commits for, and the others go on', async () => {
    const app = await startWithEffects();
    const { queue, probe, transactions } = app;
    probe.onBatch = async (items) => {
      await transactions.run(async (client) => {
        for (const { payload, ctx } of items) {
          if (payload.number % 2 === 1) continue;
          await client.query('INSERT INTO effects VALUES ($1)', [ctx.id]);
          await ctx.completeInTransaction(payload.number);
        }
      });
      return items.map(({ payload }) => ({ ok: true, value: `returned ${payload.number}` }));
    };
    const ids = await queue.submitBatch(batched, [{ number: 0 }, { number: 1 }, { number: 2 }]);
    const results = await Promise.all(ids.map(({ id }) => queue.waitFor(batched, id, WAIT)));
    expect(results).toEqual([0, 'returned 1', 2]);
    await until(async () => (await queue.stats()).completed === 3);
    expect(await effects(app, ids[2]!.id)).toBe(1);
  });

  it('releases the key of a task that must not be doubled', async () => {
    const { queue, probe, transactions } = await start();
    probe.singles.set('key', (ctx) => transactions.run(() => ctx.completeInTransaction()));
    const first = await queue.submit(unique, { key: 'key' });
    expect(await queue.waitFor(unique, first.id, WAIT)).toBeNull();
    const second = await queue.submit(unique, { key: 'key' });
    expect(second.id).not.toBe(first.id);
    await queue.waitFor(unique, second.id, WAIT);
  });

  it('submits what follows together with the completion', async () => {
    const { queue, probe, transactions } = await start();
    probe.singles.set('first', (ctx) =>
      transactions.run(async () => {
        await queue.submit(single, { key: 'second' }, { id: `${ctx.id}-second` });
        await ctx.completeInTransaction();
      }),
    );
    const { id } = await queue.submit(single, { key: 'first' });
    await queue.waitFor(single, id, WAIT);
    await queue.waitFor(single, `${id}-second`, WAIT);
  });

  it('refuses outside of a transaction', async () => {
    const { queue, probe } = await start();
    probe.singles.set('outside', (ctx) => ctx.completeInTransaction().then(() => 'never', refusal));
    const { id } = await queue.submit(single, { key: 'outside' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('TASK_QUEUE_COMPLETION_NOT_TRANSACTIONAL');
  });
};

/** Where they are elsewhere. */
export const describeNoCompletion: MoreTests = (start) => {
  it('refuses to complete a task, and fails nothing', async () => {
    const { queue, probe, transactions, pool } = await start();
    probe.singles.set('refused', (ctx) =>
      transactions.run(async (client) => {
        const code = await ctx.completeInTransaction().then(() => 'never', refusal);
        await client.query('INSERT INTO orders VALUES ($1)', [ctx.id]);
        return code;
      }),
    );
    const { id } = await queue.submit(single, { key: 'refused' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('TASK_QUEUE_COMPLETION_NOT_TRANSACTIONAL');
    expect((await pool.query('SELECT FROM orders WHERE id = $1', [id])).rowCount).toBe(1);
  });
};

function refusal(error: unknown): string {
  if (error instanceof TransactionalCompletionError) return error.code;
  throw error;
}
