import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Client, type QueryResult, type QueryResultRow } from 'pg';
import { type AcquireOptions, type PoolQueryOptions } from './acquire-options.js';
import { LeakWatch } from './leak-watch.js';
import { Lease } from './lease.js';
import { Opener } from './opener.js';
import { PoolClosedError, PoolExhaustedError, PoolTimeoutError } from './pool.errors.js';
import { parsePoolOptions, type PoolOptions, type PoolOptionsInput } from './pool.options.js';
import { byPriority, type CloseReason, PoolCounters, type PoolStatistics } from './pool-statistics.js';
import { type ConnectionGuard, type Loan, type PooledConnection } from './pooled-connection.js';
import { poolWaitSpan } from '../tracing/pool-wait-span.js';
import { currentQueryPriority, type QueryPriority } from './query-priority.js';
import { ServerRoom } from './server-room.js';
import { type PoolWaiter } from './pool-waiter.js';
import { WaitingLine } from './waiting-line.js';

const HOUSEKEEPING_MS = 1_000;
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Connections to one PostgreSQL, for callers of three priorities. High priority has a reserve of its own and is due
 * first, the others age, so that none starves. Opens nothing before the first caller.
 */
export class PriorityPool {
  readonly options: PoolOptions;
  readonly #logger = new Logger(PriorityPool.name);
  readonly #counters = new PoolCounters();
  readonly #leaks: LeakWatch;
  readonly #line: WaitingLine<PoolWaiter>;
  readonly #room: ServerRoom;
  readonly #opener: Opener;
  readonly #all = new Set<PooledConnection>();
  /** The one used last is taken first, so that those that are not needed grow old. */
  readonly #idle: PooledConnection[] = [];
  #ordinaryInUse = 0;
  #housekeeping: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param prepare gets every connection once, before anybody else does
   * @throws {InvalidPoolOptionsError}
   */
  constructor(
    input: PoolOptionsInput,
    private readonly prepare: (client: Client) => ConnectionGuard | undefined = () => undefined,
  ) {
    this.options = parsePoolOptions(input);
    this.#leaks = new LeakWatch(this.options.leakAfterMs);
    this.#line = new WaitingLine({ high: 0, ...this.options.slackMs });
    this.#room = new ServerRoom(this.options.max, this.options.serverHeadroom);
    const demand = {
      size: () => this.#all.size,
      wanted: () => this.#wanted(),
      oldest: () => this.#line.oldest,
    };
    this.#opener = new Opener(this.options, this.#room, this.#counters, demand, {
      opened: (connection) => this.#opened(connection),
      broken: (connection, error) => this.#lost(connection, error),
      refused: (error) => this.#rejectAll(error),
    });
  }

  /**
   * @throws {PoolTimeoutError} none became free in time
   * @throws {PoolExhaustedError} too many wait
   * @throws {PoolConnectError} the server refuses the login or knows no such database
   * @throws {PoolSettingsError} {@link PoolClosedError}, the signal's reason
   */
  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const taken = this.#leaks.here();
    const connection = await (this.#takeIdle(options, taken) ?? this.#wait(options, taken));
    return new Lease(connection.client, (error) => this.#giveBack(connection, error));
  }

  /** Runs the work with a connection of its own. @throws as `acquire`, and what the work throws */
  async use<T>(work: (client: Client) => Promise<T>, options: PoolQueryOptions = {}): Promise<T> {
    return this.#use(work, options, this.#leaks.here());
  }

  /** One statement. @throws as `acquire`, and the driver's error */
  query<R extends QueryResultRow = QueryResultRow>(
    text: string | { readonly text: string },
    values?: readonly unknown[],
    options: PoolQueryOptions = {},
  ): Promise<QueryResult<R>> {
    return this.useBriefly((client) => client.query<R>(text, values && [...values]), options);
  }

  /**
   * As {@link use}, for one statement, which its own limit ends: nobody is named as the one who keeps the connection. The stack
   * that needs would cost a tenth of a short statement.
   */
  useBriefly<T>(work: (client: Client) => Promise<T>, options: PoolQueryOptions = {}): Promise<T> {
    return this.#use(work, options);
  }

  statistics(): PoolStatistics {
    return this.#counters.statistics({
      size: this.#all.size,
      idle: this.#idle.length,
      inUse: this.#all.size - this.#idle.length,
      opening: this.#opener.opening,
      waiting: byPriority((it) => this.#line.sizeOf(it)),
      capacity: this.#room.capacity,
      leaks: this.#leaks.count,
    });
  }

  /** Refuses new callers and those that wait, waits for what is in use, and cuts what is still in use then. */
  async close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    await this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#opener.close();
    clearInterval(this.#housekeeping);
    this.#rejectAll(new PoolClosedError());
    const end = performance.now() + timeoutMs;
    await Promise.all(this.#idle.splice(0).map((it) => this.#remove(it, 'shutdown')));
    while (this.#all.size + this.#opener.opening > 0 && performance.now() < end)
      await delay(Math.min(10, timeoutMs));
    await Promise.all([...this.#all].map((it) => this.#remove(it, 'shutdown')));
  }

  get #mayLendOrdinary(): boolean {
    return this.#ordinaryInUse < Math.max(1, this.#room.capacity - this.options.reserve);
  }

  /** Callers that another connection would serve. */
  #wanted(): number {
    const ordinary = this.#line.size - this.#line.sizeOf('high');
    const places = Math.max(1, this.#room.capacity - this.options.reserve) - this.#ordinaryInUse;
    return this.#line.sizeOf('high') + Math.min(ordinary, Math.max(places, 0));
  }

  async #use<T>(work: (client: Client) => Promise<T>, options: PoolQueryOptions, taken?: Error): Promise<T> {
    let lostAt = Infinity;
    for (;;) {
      // Waits in any case: the line of the caller is another one behind an `await`, and whoever looks for loops compares it.
      const connection = await (this.#takeIdle(options, taken) ?? this.#wait(options, taken));
      try {
        return await work(connection.client);
      } catch (error) {
        const { broken, openedAt } = connection;
        // What was open before the loss may be lost by the same cause, so only one opened after it is another try.
        if (!options.isRead || !broken || openedAt > lostAt) throw error;
        lostAt = Math.min(lostAt, performance.now());
      } finally {
        this.#giveBack(connection, undefined);
      }
    }
  }

  /** @throws {PoolClosedError} the signal's reason */
  #takeIdle(
    { priority = currentQueryPriority(), signal }: AcquireOptions,
    taken: Error | undefined,
  ): PooledConnection | undefined {
    if (this.#closing) throw new PoolClosedError();
    signal?.throwIfAborted();
    if (priority !== 'high' && !this.#mayLendOrdinary) return undefined;
    const connection = this.#idle.pop();
    if (connection) this.#lend(connection, { priority, since: performance.now(), taken, reported: false }, 0);
    return connection;
  }

  #lend(connection: PooledConnection, loan: Loan, waitedMs: number): void {
    connection.loan = loan;
    if (loan.priority !== 'high') this.#ordinaryInUse++;
    this.#counters.served(loan.priority, waitedMs);
  }

  async #wait(
    { priority = currentQueryPriority(), timeoutMs = this.options.acquireTimeoutMs, signal }: AcquireOptions,
    taken: Error | undefined,
  ): Promise<PooledConnection> {
    if (this.#line.size >= this.options.maxWaiting) this.#makePlace(priority);
    const { promise, resolve, reject } = Promise.withResolvers<PooledConnection>();
    const waiter: PoolWaiter = { priority, since: performance.now(), taken, resolve, reject };
    const timer = setTimeout(() => {
      if (!this.#line.remove(waiter)) return;
      this.#counters.timeouts++;
      const cause = this.#opener.lastError;
      reject(new PoolTimeoutError(priority, timeoutMs, this.#all.size, cause && { cause }));
    }, timeoutMs);
    const abort = () => this.#line.remove(waiter) && reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#line.add(waiter);
    this.#opener.consider();
    try {
      return await poolWaitSpan(priority, () => promise);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Somebody less urgent goes. @throws {PoolExhaustedError} there is nobody */
  #makePlace(priority: QueryPriority): void {
    this.#counters.refused++;
    const refusal = (of: QueryPriority) => new PoolExhaustedError(of, this.#line.size, this.#all.size);
    const other = this.#line.takeLessUrgentThan(priority);
    if (!other) throw refusal(priority);
    other.reject(refusal(other.priority));
  }

  #dispatch(): void {
    while (this.#idle.length > 0) {
      const waiter = this.#line.take(!this.#mayLendOrdinary);
      const connection = waiter && this.#idle.pop();
      if (!waiter || !connection) return;
      const { priority, since, taken } = waiter;
      const now = performance.now();
      this.#lend(connection, { priority, since: now, taken, reported: false }, now - since);
      waiter.resolve(connection);
    }
  }

  #opened(connection: PooledConnection): void {
    this.#all.add(connection);
    connection.guard = this.prepare(connection.client);
    if (this.#closing) return void this.#remove(connection, 'shutdown');
    this.#housekeeping ??= setInterval(() => this.#keepHouse(), HOUSEKEEPING_MS).unref();
    this.#shelve(connection);
  }

  #shelve(connection: PooledConnection): void {
    connection.idleSince = performance.now();
    this.#idle.push(connection);
    this.#dispatch();
  }

  #giveBack(connection: PooledConnection, error: Error | undefined): void {
    if (connection.loan && connection.loan.priority !== 'high') this.#ordinaryInUse--;
    connection.loan = undefined;
    const reason = this.#reasonToClose(connection, error);
    if (reason) {
      void this.#remove(connection, reason);
      // Its place may be another's now.
      this.#dispatch();
      this.#opener.consider();
    } else if (connection.isSettling || connection.isInTransaction || connection.guard?.isAltered)
      void this.#restore(connection);
    else this.#shelve(connection);
  }

  #reasonToClose(connection: PooledConnection, error: Error | undefined): CloseReason | undefined {
    const { maxLifetimeMs, min } = this.options;
    if (this.#closing) return 'shutdown';
    if (error || connection.broken) return 'broken';
    if (connection.isBusy) return 'busy';
    if (maxLifetimeMs > 0 && performance.now() - connection.openedAt > maxLifetimeMs) return 'expired';
    if (this.#all.size > min && this.#all.size > this.#room.capacity) return 'no-room';
    return undefined;
  }

  /** Makes of it what a new one is. */
  async #restore(connection: PooledConnection): Promise<void> {
    try {
      await connection.settled();
      if (connection.isInTransaction) {
        this.#counters.unfinishedTransactions++;
        this.#logger.warn('A connection came back inside a transaction, which is rolled back');
        await connection.client.query('ROLLBACK');
      }
      if (connection.guard?.isAltered) await connection.guard.restore();
      if (this.#closing) await this.#remove(connection, 'shutdown');
      else this.#shelve(connection);
    } catch {
      await this.#remove(connection, 'broken');
      this.#opener.consider();
    }
  }

  /** Whoever has it learns it from the driver, and gives it back. */
  #lost(connection: PooledConnection, error: Error): void {
    const index = this.#idle.indexOf(connection);
    if (index === -1) return;
    this.#idle.splice(index, 1);
    this.#logger.warn(`An idle connection was lost: ${error.message}`);
    void this.#remove(connection, 'broken');
  }

  async #remove(connection: PooledConnection, reason: CloseReason): Promise<void> {
    if (!this.#all.delete(connection)) return;
    this.#counters.closed[reason]++;
    await connection.close();
  }

  #rejectAll(error: Error): void {
    for (const waiter of this.#line.takeAll()) waiter.reject(error);
  }

  #keepHouse(): void {
    const now = performance.now();
    const { idleTimeoutMs, min } = this.options;
    while (this.#all.size > min) {
      const [oldest] = this.#idle;
      if (!oldest || now - oldest.idleSince < idleTimeoutMs) break;
      this.#idle.shift();
      void this.#remove(oldest, 'idle');
    }
    for (const { loan } of this.#all) if (loan) this.#leaks.check(loan, now);
  }
}
