import { Client, type ClientConfig, type DatabaseError } from 'pg';
import { cut, hangUp } from './hang-up.js';
import { type QueryPriority } from './query-priority.js';

/** What a connection is lent for. */
export interface Loan {
  readonly priority: QueryPriority;
  readonly since: number;
  /** Holds the stack of whoever took it. */
  readonly taken: Error | undefined;
  reported: boolean;
}

/** Looks after a connection on behalf of whoever prepared it. */
export interface ConnectionGuard {
  /** Somebody has changed settings or role of the session. */
  readonly isAltered: boolean;
  /** Makes the session what it was. */
  restore(): Promise<void>;
}

/** pg's own connection object tells what the client does not. */
interface Wire {
  once(event: 'readyForQuery' | 'end', listener: () => void): void;
  on(event: 'errorMessage', listener: (error: DatabaseError) => void): void;
}

/** What the client itself has not finished, and what it knows of the server beyond its types. */
interface Queue {
  readonly readyForQuery: boolean;
  readonly _activeQuery?: object | null;
  readonly _queryQueue: readonly object[];
  /**
   * `I`: outside of a transaction; null before the first answer.
   *
   * @see https://www.postgresql.org/docs/current/protocol-message-formats.html ReadyForQuery
   */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
}

/** A connection and what the pool has to know about it. */
export class PooledConnection {
  readonly client: Client;
  readonly openedAt = performance.now();
  idleSince = 0;
  guard: ConnectionGuard | undefined;
  loan: Loan | undefined;
  #broken: Error | undefined;
  #isSetUp = false;

  /** @param onBroken it is of no use any more, whoever has it */
  constructor(
    config: ClientConfig,
    private readonly onBroken: (connection: PooledConnection, error: Error) => void,
  ) {
    this.client = new Client(config);
  }

  /** The error that ended it. */
  get broken(): Error | undefined {
    return this.#broken;
  }

  /** A statement has not ended, so nobody else may use it. */
  get isBusy(): boolean {
    const { _activeQuery: active, _queryQueue: queued } = this.#queue;
    return Boolean(active) || queued.length > 0;
  }

  /** A statement was refused, and the server has not said yet that it takes the next. */
  get isSettling(): boolean {
    return !this.#queue.readyForQuery && !this.isBusy;
  }

  /** Resolves when the server takes the next statement, or the connection is gone. */
  settled(): Promise<void> {
    if (!this.isSettling || this.#broken) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wire.once('readyForQuery', resolve);
    this.#wire.once('end', resolve);
    return promise;
  }

  get isInTransaction(): boolean {
    // Asked of the client: a listener of our own would cost every statement.
    return (this.#queue.getTransactionStatus() ?? 'I') !== 'I';
  }

  /** @throws the driver's error */
  async open(setUp: (client: Client) => Promise<void>): Promise<void> {
    const fail = (error: Error) => this.#fail(error);
    this.client.on('error', fail);
    this.client.on('end', () => fail(new Error('The connection was ended')));
    // The server says that it will hang up: nobody may get this one in between.
    this.#wire.on('errorMessage', (error) => error.severity === 'FATAL' && fail(error));
    try {
      await this.client.connect();
      await setUp(this.client);
      if (this.#broken) throw this.#broken;
      this.#isSetUp = true;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** @returns when the server has let go, or the wire is gone */
  async close(): Promise<void> {
    this.#broken ??= new Error('The connection is closed');
    // A statement in flight would be waited for; its caller has given it up.
    if (!this.#queue.readyForQuery) cut(this.client);
    await hangUp(this.client);
  }

  /** Stops the opening. */
  abandon(): void {
    cut(this.client);
  }

  get #queue(): Queue {
    return this.client as unknown as Queue;
  }

  get #wire(): Wire {
    return (this.client as unknown as { connection: Wire }).connection;
  }

  #fail(error: Error): void {
    if (this.#broken) return;
    this.#broken = error;
    if (this.#isSetUp) this.onBroken(this, error);
  }
}
