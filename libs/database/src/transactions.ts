import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { Injectable, Logger } from '@nestjs/common';
import {
  DataSource,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  type EntityManager,
  type QueryRunner,
} from 'typeorm';

import {
  ConnectionLostError,
  TransactionAbortedError,
  TransactionIsolationError,
} from './database.errors.js';
import { isAborted, isRetryable } from './driver-errors.js';

/** From weak to strong. PostgreSQL treats READ UNCOMMITTED as READ COMMITTED. */
const ISOLATION_LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

export interface TransactionOptions {
  /** Default: READ COMMITTED. A nested run must not ask for more than the transaction that it joins. */
  readonly isolation?: IsolationLevel;
  /** How often the work is run again after a serialization failure or a deadlock. Default 2. Outermost only. */
  readonly retries?: number;
}

type AfterCommit = () => void | Promise<void>;

interface Context {
  readonly manager: EntityManager;
  readonly isolation: IsolationLevel;
  readonly hooks: AfterCommit[];
  state: 'open' | 'committed' | 'rolled back';
}

const DEFAULT_RETRIES = 2;
const RETRY_BASE_MS = 10;

/**
 * Transactions that travel with the asynchronous call: whatever runs inside `run` finds the transaction through
 * {@link manager}, without a parameter.
 */
@Injectable()
export class Transactions {
  readonly #contexts = new AsyncLocalStorage<Context>();
  readonly #logger = new Logger(Transactions.name);

  constructor(private readonly dataSource: DataSource) {}

  /** The current transaction's manager, or the data source's. Ask each time, do not keep it. */
  get manager(): EntityManager {
    return this.#current?.manager ?? this.dataSource.manager;
  }

  /** Are we inside a transaction that is still open? */
  get active(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Runs the work in a transaction: commits when it resolves, rolls back when it rejects. Inside another `run` it
   * joins that transaction, without a savepoint: what it wrote is committed or lost with the outer work.
   *
   * The work may run several times (see `retries`): effects outside the database belong in {@link afterCommit}.
   *
   * @throws {TransactionAbortedError} when the work caught the error of a statement: nothing was written
   * @throws {TransactionIsolationError} {@link ConnectionLostError}, and what the work throws
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const outer = this.#current;
    if (outer) {
      assertJoinable(options.isolation, outer.isolation);
      return work(outer.manager);
    }
    const { isolation = 'READ COMMITTED', retries = DEFAULT_RETRIES } = options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(work, isolation);
      } catch (error) {
        if (attempt >= retries || !isRetryable(error)) throw error;
        // Two that collided must not meet again.
        await delay(RETRY_BASE_MS * 2 ** attempt * (1 + Math.random()));
      }
    }
  }

  /**
   * Runs the work after the current transaction has been committed and its connection is free: in order, and
   * before `run` resolves. Dropped when the transaction, or this attempt of it, is rolled back. At once when there
   * is no transaction.
   *
   * The data is committed by then, so an error of the work is logged and goes nowhere else. A process that is
   * killed between commit and work loses the work: what must happen belongs in the transaction itself.
   *
   * @returns resolves at once inside a transaction, else after the work
   */
  async afterCommit(work: AfterCommit): Promise<void> {
    const context = this.#contexts.getStore();
    if (context?.state === 'open') context.hooks.push(work);
    // A straggler that nobody waited for: its transaction is gone, and so is what it wants to announce.
    else if (context?.state !== 'rolled back') await this.#runHook(work);
  }

  get #current(): Context | undefined {
    const context = this.#contexts.getStore();
    return context?.state === 'open' ? context : undefined;
  }

  async #attempt<T>(work: (manager: EntityManager) => Promise<T>, isolation: IsolationLevel): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    const context: Context = { manager: runner.manager, isolation, hooks: [], state: 'open' };
    let result: T;
    try {
      await runner.startTransaction(isolation);
      result = await this.#contexts.run(context, () => work(runner.manager));
      await assertCommittable(runner);
      await runner.commitTransaction();
      context.state = 'committed';
    } catch (error) {
      context.state = 'rolled back';
      await this.#rollBack(runner);
      throw isReleased(error) ? new ConnectionLostError({ cause: error }) : error;
    } finally {
      await runner.release();
    }
    for (const hook of context.hooks) await this.#runHook(hook);
    return result;
  }

  /** The work's error counts, not that of a rollback, which fails only with the connection; the server then rolls back. */
  async #rollBack(runner: QueryRunner): Promise<void> {
    if (runner.isReleased || !runner.isTransactionActive) return;
    try {
      await runner.rollbackTransaction();
    } catch (error) {
      this.#logger.warn(`A rollback failed: ${(error as Error).message}`);
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

/** TypeORM gives a connection up as soon as it breaks, and says only this to those who go on using it, here or there. */
function isReleased(error: unknown): boolean {
  return (
    error instanceof QueryRunnerAlreadyReleasedError ||
    error instanceof QueryRunnerProviderAlreadyReleasedError
  );
}

function assertJoinable(wanted: IsolationLevel | undefined, current: IsolationLevel): void {
  if (wanted && ISOLATION_LEVELS.indexOf(wanted) > ISOLATION_LEVELS.indexOf(current)) {
    throw new TransactionIsolationError(wanted, current);
  }
}

/**
 * PostgreSQL answers COMMIT in a failed transaction with a rollback, and without an error. The driver knows the
 * state once the server is ready for the next statement, which after a success it is: no round trip then.
 */
async function assertCommittable(runner: QueryRunner): Promise<void> {
  const client = (await runner.connect()) as {
    readonly readyForQuery?: boolean;
    getTransactionStatus?: () => string | null;
  };
  if (client.readyForQuery === true && client.getTransactionStatus?.() === 'T') return;
  try {
    await runner.query('SELECT 1');
  } catch (error) {
    throw isAborted(error) ? new TransactionAbortedError() : error;
  }
}
