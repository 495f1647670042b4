import { type Client } from 'pg';
import { type SessionChange, sessionChangeOf, strongerChange } from '../analysis/session-change.js';
import { type Statement } from '../analysis/statement.js';

/** What a transaction is told apart by: another object for each. */
export type TransactionMark = object;

/** What pg's client knows of the wire, beyond its types. */
interface Wire {
  readonly readyForQuery: boolean;
  readonly processID: number | null;
  readonly connection: { readonly stream: { readonly destroyed: boolean } };
  /** Of the last ReadyForQuery: `I` outside of a transaction; null before the first. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
}

/** What the statements of a connection have made of it. */
export class Session {
  readonly #wire: Wire;
  #transaction: TransactionMark | undefined;
  #change: SessionChange = 'none';
  #alone: Promise<void> | undefined;

  constructor(client: Client) {
    this.#wire = client as unknown as Wire;
  }

  /**
   * By the word of the server as of the last statement that has ended, so it is right at the end of a statement, also when
   * others were sent behind it. After an error it is that of before the statement.
   */
  get isInTransaction(): boolean {
    return this.#wire.getTransactionStatus() !== 'I';
  }

  /** The open transaction. */
  get transaction(): TransactionMark | undefined {
    return this.isInTransaction ? (this.#transaction ??= {}) : undefined;
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.#wire.readyForQuery && !this.isInTransaction;
  }

  get isConnected(): boolean {
    return !this.#wire.connection.stream.destroyed;
  }

  get processId(): number | null {
    return this.#wire.processID;
  }

  /** Somebody may have changed its settings, its role, its temporary tables. Stays until {@link restored}. */
  get isAltered(): boolean {
    return this.#change !== 'none';
  }

  /** Somebody may have changed what names mean: its search path, or its role. Stays until {@link restored}. */
  get hasOtherNames(): boolean {
    return this.#change === 'names';
  }

  /** Resolves when the one that is {@link alone} has ended; undefined when there is none. */
  get busyAlone(): Promise<void> | undefined {
    return this.#alone;
  }

  /** What others send during the work is sent after it. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#alone = promise;
    try {
      return await work();
    } finally {
      this.#alone = undefined;
      resolve();
    }
  }

  restored(): void {
    this.#change = 'none';
  }

  /** By something else than the text of a statement. */
  altered(change: SessionChange): void {
    this.#change = strongerChange(this.#change, change);
  }

  /** @param statement null: it may have done anything */
  sees(statement: Statement | null): void {
    if (!this.isInTransaction) this.#transaction = undefined;
    this.altered(statement ? sessionChangeOf(statement) : 'names');
  }
}
