import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { invalidationQueueContract } from '@peregrine/cdn/testing';
import { createDataSource, Transactions } from '@peregrine/database';
import { createMigratedDatabase, type TestDatabase } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { type DataSource } from 'typeorm';
import { PostgresInvalidationQueue } from '../src/cdn/postgres-invalidation-queue.js';

describe('the queue of purges in PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let transactions: Transactions;
  let queue: PostgresInvalidationQueue;

  beforeAll(async () => {
    database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
    dataSource = await createDataSource({ url: database.url }).initialize();
    transactions = new Transactions(dataSource);
    queue = new PostgresInvalidationQueue(transactions);
  }, 60_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });
  const clear = async () => void (await dataSource.query('TRUNCATE cdn_invalidations'));
  const tag = (value: string) => ({ provider: 'edge', target: { kind: 'tag', value }, soft: false }) as const;

  for (const { title, run } of invalidationQueueContract(() => Promise.resolve({ queue, close: clear }))) {
    it(title, run);
  }

  it('purges nothing that was rolled back', async () => {
    const rolledBack = transactions.run(async () => {
      await queue.add([tag('a')]);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(await queue.pending(10)).toEqual([]);
  });

  it('does not send what a transaction asks for again before that has ended', async () => {
    const [known] = await queue.add([tag('a'), tag('b')]);
    const asked = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const transaction = transactions.run(async () => {
      await queue.add([tag('a')]);
      asked.resolve();
      await end.promise;
    });
    await asked.promise;
    const due = (await queue.due('edge', 10)).map((it) => it.id);
    expect(due).toContain(known?.id);
    expect(await queue.claim(due, 60_000)).toEqual(due.filter((id) => id !== known?.id));
    end.resolve();
    await transaction;
    expect(await queue.claim(due, 60_000)).toEqual([known?.id]);
    await clear();
  });

  it('brings purges back although the same is asked for at that very moment', async () => {
    for (let round = 0; round < 20; round++) {
      const ids = (await queue.add([tag('a')])).map((it) => it.id);
      await queue.claim(ids, 60_000);
      const why = { error: 'away', delayMs: 0, countsAsAttempt: true };
      await Promise.all([
        queue.postpone(ids, why),
        ...Array.from({ length: 5 }, () => queue.add([tag('a')])),
      ]);
      const pending = await queue.pending(10);
      expect(pending.map((it) => it.id)).toEqual(ids);
      expect(pending[0]?.requests).toBe(6);
      await clear();
    }
  });

  it('forgets what ended long ago, and nothing that is open', async () => {
    const ids = (await queue.add([tag('a'), tag('b')])).map((it) => it.id);
    await queue.claim(ids.slice(0, 1), 60_000);
    await queue.succeed(ids.slice(0, 1), { sentAs: 'tag', verified: null });
    await queue.forget(new Date(Date.now() + 60_000));
    expect(await queue.history(10)).toEqual([]);
    expect(await queue.pending(10)).toHaveLength(1);
    expect(await queue.dueProviders()).toEqual(['edge']);
    await clear();
  });
});
