import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';

import {
  ConnectionLostError,
  connectDataSource,
  createDataSource,
  driverTransactions,
  isForeignKeyViolation,
  isUnavailable,
  isUniqueViolation,
  TransactionAbortedError,
  TransactionIsolationError,
  Transactions,
} from '../src/index.js';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js';

jest.setTimeout(30_000);

describe('Transactions', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let transactions: Transactions;

  beforeAll(async () => {
    database = await createTestDatabase(process.env['DATABASE_URL']);
    dataSource = createDataSource({ url: database.url, poolMax: 4 });
    await connectDataSource(dataSource, { startTimeoutMs: 10_000 });
    await dataSource.query('CREATE TABLE account (id int PRIMARY KEY, amount int NOT NULL)');
    await dataSource.query('CREATE TABLE entry (account int REFERENCES account)');
    transactions = new Transactions(dataSource);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });
  beforeEach(() => dataSource.query('TRUNCATE account CASCADE'));

  const insert = (id: number, amount = 0) =>
    transactions.manager.query('INSERT INTO account VALUES ($1, $2)', [id, amount]);
  const ids = async () => {
    const rows: { id: number }[] = await dataSource.query('SELECT id FROM account ORDER BY id');
    return rows.map((it) => it.id);
  };

  it('commits the work of all who ask for the manager inside it', async () => {
    expect(transactions.active).toBe(false);
    const result = await transactions.run(async (manager) => {
      expect(transactions.active).toBe(true);
      expect(transactions.manager).toBe(manager);
      await insert(1);
      expect(await ids()).toEqual([]);
      return 'done';
    });
    expect(result).toBe('done');
    expect(transactions.manager).toBe(dataSource.manager);
    expect(await ids()).toEqual([1]);
  });

  it('gives the connection of the driver to who knows no manager, for as long as it is open', async () => {
    const driver = driverTransactions(transactions);
    expect(driver.current()).toBeUndefined();
    const committed: string[] = [];
    const { rowCount } = await driver.run(async (connection) => {
      expect(transactions.active).toBe(true);
      await insert(1);
      await driver.afterCommit(() => void committed.push('hook'));
      const answer = await driver.current()?.query('SELECT id FROM account WHERE id = $1', [1]);
      expect(answer?.rows).toEqual([{ id: 1 }]);
      expect(await ids()).toEqual([]);
      return connection.query('INSERT INTO account VALUES ($1, 0), ($2, 0)', [2, 3]);
    });
    expect(rowCount).toBe(2);
    expect(committed).toEqual(['hook']);
    expect(await ids()).toEqual([1, 2, 3]);
    const conflict = driver.run((connection) => connection.query('INSERT INTO account VALUES (3, 0)'));
    await expect(conflict).rejects.toMatchObject({ code: '23505' });
  });

  it('rolls back what a failing work wrote, and hands on its error', async () => {
    const failing = transactions.run(async () => {
      await insert(1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await ids()).toEqual([]);
  });

  it('joins the outer transaction when nested', async () => {
    const failing = transactions.run(async (outer) => {
      await transactions.run(async (inner) => {
        expect(inner).toBe(outer);
        await insert(1);
      });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await ids()).toEqual([]);
  });

  it('refuses to join a transaction of weaker isolation, and joins a stronger one', async () => {
    const serializable = { isolation: 'SERIALIZABLE' } as const;
    const nested = () => transactions.run(() => Promise.resolve(1), serializable);
    await expect(transactions.run(nested)).rejects.toThrow(TransactionIsolationError);
    expect(await transactions.run(nested, serializable)).toBe(1);
  });

  it('keeps parallel transactions apart', async () => {
    await Promise.allSettled(
      [1, 2, 3, 4, 5, 6, 7, 8].map((id) =>
        transactions.run(async () => {
          await insert(id);
          if (id % 2 === 0) throw new Error('no');
        }),
      ),
    );
    expect(await ids()).toEqual([1, 3, 5, 7]);
  });

  it('does not pretend to commit after a caught error of a statement', async () => {
    const lying = transactions.run(async () => {
      await insert(1);
      await insert(1).catch((error: unknown) => expect(isUniqueViolation(error, 'account_pkey')).toBe(true));
    });
    await expect(lying).rejects.toThrow(TransactionAbortedError);
    expect(await ids()).toEqual([]);
  });

  it('commits when a savepoint took back the statement that failed', async () => {
    await transactions.run(async (manager) => {
      await insert(1);
      await manager.transaction((inner) => inner.query('SELECT 1 / 0')).catch(() => undefined);
    });
    expect(await ids()).toEqual([1]);
  });

  it('tells a foreign key violation', async () => {
    const error: unknown = await dataSource.query('INSERT INTO entry VALUES (99)').catch((it: unknown) => it);
    expect(isForeignKeyViolation(error, 'entry_account_fkey')).toBe(true);
  });

  it('runs the work again after a serialization failure, and drops what the first attempt had announced', async () => {
    await insert(1, 0);
    const announced: number[] = [];
    let attempts = 0;
    let arrive: () => void = () => undefined;
    const bothHaveRead = new Promise<void>((resolve) => (arrive = resolve));
    let readers = 0;
    const increment = () =>
      transactions.run(
        async (manager) => {
          const attempt = ++attempts;
          const [row]: { amount: number }[] = await manager.query('SELECT amount FROM account WHERE id = 1');
          if (++readers === 2) arrive();
          await bothHaveRead;
          await transactions.afterCommit(() => void announced.push(attempt));
          await manager.query('UPDATE account SET amount = $1 WHERE id = 1', [(row?.amount ?? 0) + 1]);
        },
        { isolation: 'SERIALIZABLE' },
      );
    await Promise.all([increment(), increment()]);
    expect(await dataSource.query('SELECT amount FROM account')).toEqual([{ amount: 2 }]);
    expect(attempts).toBe(3);
    expect(announced).toHaveLength(2);
    expect(announced).toContain(3);
  });

  it('gives up after the retries that it was allowed', async () => {
    let attempts = 0;
    const failing = transactions.run(
      async (manager) => {
        attempts++;
        await manager.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$`);
      },
      { retries: 1 },
    );
    await expect(failing).rejects.toThrow('again');
    expect(attempts).toBe(2);
  });

  describe('afterCommit', () => {
    it('runs in order, after the commit and outside the transaction, before run resolves', async () => {
      const seen: unknown[] = [];
      await transactions.run(async () => {
        await insert(1);
        await transactions.afterCommit(async () => {
          seen.push(await ids(), transactions.active);
        });
        await transactions.run(() => transactions.afterCommit(() => void seen.push('second')));
        expect(seen).toEqual([]);
      });
      expect(seen).toEqual([[1], false, 'second']);
    });

    it('is dropped on rollback', async () => {
      const hook = jest.fn<() => void>();
      const failing = transactions.run(async () => {
        await transactions.afterCommit(hook);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(hook).not.toHaveBeenCalled();
    });

    it('runs at once when there is no transaction', async () => {
      const hook = jest.fn<() => void>();
      await transactions.afterCommit(hook);
      expect(hook).toHaveBeenCalledTimes(1);
    });

    it('does not fail the committed work, nor the hooks after it, with its own error', async () => {
      const hook = jest.fn<() => void>();
      await transactions.run(async () => {
        await insert(1);
        await transactions.afterCommit(() => Promise.reject(new Error('expected in this test')));
        await transactions.afterCommit(hook);
      });
      expect(hook).toHaveBeenCalledTimes(1);
      expect(await ids()).toEqual([1]);
    });

    it('drops what a straggler of a rolled-back transaction announces', async () => {
      const hook = jest.fn<() => void>();
      let release: () => void = () => undefined;
      let straggler: Promise<void> = Promise.resolve();
      const failing = transactions.run(async () => {
        straggler = new Promise<void>((resolve) => (release = resolve)).then(() =>
          transactions.afterCommit(hook),
        );
        await insert(1);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      release();
      await straggler;
      expect(hook).not.toHaveBeenCalled();
    });
  });

  it('reports a connection that breaks in the middle, and the next transaction works', async () => {
    const broken = transactions.run(async (manager) => {
      await insert(1);
      const [row]: { pid: number }[] = await manager.query('SELECT pg_backend_pid() AS pid');
      await dataSource.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      for (;;) await manager.query('SELECT 1');
    });
    const error: unknown = await broken.catch((it: unknown) => it);
    expect(isUnavailable(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
    await transactions.run(() => insert(2));
    expect(await ids()).toEqual([2]);
    expect(isUnavailable(new ConnectionLostError())).toBe(true);
  });
});
