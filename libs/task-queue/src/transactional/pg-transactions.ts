import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { TransactionRolledBackError } from '../task-queue.errors.js';
import { type AfterCommit, type QueryClient, type TransactionSource } from './transaction-source.js';

interface Transaction {
  readonly client: pg.PoolClient;
  readonly hooks: AfterCommit[];
  isOpen: boolean;
}

/**
 * Transactions on a pool of `pg` that travel with the asynchronous call: what is submitted inside `run` belongs to
 * the transaction, without a parameter.
 */
export class PgTransactions implements TransactionSource {
  readonly #logger = new Logger('TaskQueue');
  readonly #transactions = new AsyncLocalStorage<Transaction>();

  constructor(private readonly pool: Pick<pg.Pool, 'connect'>) {}

  current(): pg.PoolClient | undefined {
    return this.#open?.client;
  }

  async afterCommit(work: AfterCommit): Promise<void> {
    const open = this.#open;
    if (open) open.hooks.push(work);
    else await this.#runHook(work);
  }

  /**
   * Commits when the work resolves, rolls back when it rejects; inside another `run` it joins that transaction.
   *
   * @param begin how it begins, such as `BEGIN ISOLATION LEVEL SERIALIZABLE`
   * @throws {TransactionRolledBackError} the work caught the error of a statement: nothing was written
   */
  async run<T>(
    work: (client: QueryClient & pg.PoolClient) => Promise<T>,
    { begin = 'BEGIN' }: { readonly begin?: string } = {},
  ): Promise<T> {
    const outer = this.#open;
    if (outer) return work(outer.client);
    const transaction: Transaction = { client: await this.pool.connect(), hooks: [], isOpen: true };
    const result = await this.#runToEnd(transaction, begin, work);
    for (const hook of transaction.hooks) await this.#runHook(hook);
    return result;
  }

  get #open(): Transaction | undefined {
    const transaction = this.#transactions.getStore();
    return transaction?.isOpen ? transaction : undefined;
  }

  async #runToEnd<T>(
    transaction: Transaction,
    begin: string,
    work: (client: pg.PoolClient) => Promise<T>,
  ): Promise<T> {
    const { client } = transaction;
    let broken: Error | undefined;
    // While it is lent, the pool does not listen, and a connection that breaks would end the process.
    const onError = (error: Error) => (broken = error);
    client.on('error', onError);
    try {
      await client.query(begin);
      const result = await this.#transactions.run(transaction, () => work(client));
      transaction.isOpen = false;
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new TransactionRolledBackError();
      return result;
    } catch (error) {
      transaction.isOpen = false;
      await client.query('ROLLBACK').catch((failure: Error) => (broken ??= failure));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async #runHook(work: AfterCommit): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.error('Work after a commit failed', error instanceof Error ? error.stack : String(error));
    }
  }
}
