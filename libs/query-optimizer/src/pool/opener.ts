import { type Client, type ClientConfig, DatabaseError } from 'pg';
import { PoolConnectError, PoolSettingsError } from './pool.errors.js';
import { type PoolOptions } from './pool.options.js';
import { type PoolCounters } from './pool-statistics.js';
import { PooledConnection } from './pooled-connection.js';
import { type ServerRoom } from './server-room.js';
import { checkSettings, settingsStatement } from './session-settings.js';

/** What the opener has to know of its pool. */
export interface Demand {
  /** Connections that are open. */
  size(): number;
  /** Callers that wait and may be served. */
  wanted(): number;
  /** When the one that waits longest came, milliseconds. */
  oldest(): number | undefined;
}

export interface OpenerEvents {
  opened(connection: PooledConnection): void;
  broken(connection: PooledConnection, error: Error): void;
  /** Nobody will get a connection with these options. */
  refused(error: Error): void;
}

/** At once; a server that is hit by all at the same time answers none sooner. */
const MAX_AT_ONCE = 4;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/** No place for another connection. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const TOO_MANY_CONNECTIONS = '53300';
/** Wrong login, no right to connect, no such database. */
const REFUSALS = /^(28...|3D000|42501)$/;

/**
 * Opens connections when it helps: up to `min` as soon as somebody waits, beyond that only when somebody has waited
 * for a while, since opening takes longer than most statements and the server has to bear every one of them.
 */
export class Opener {
  readonly #opening = new Set<PooledConnection>();
  #failures = 0;
  #notBefore = 0;
  #lastError: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isChecked = false;
  #isClosed = false;

  constructor(
    private readonly options: PoolOptions,
    private readonly room: ServerRoom,
    private readonly counters: PoolCounters,
    private readonly demand: Demand,
    private readonly events: OpenerEvents,
  ) {}

  get opening(): number {
    return this.#opening.size;
  }

  /** Why the last attempt failed, if it did. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Call whenever somebody has begun to wait, or a connection is gone. */
  consider(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    if (this.#unserved() <= 0) return;
    if (now < this.#notBefore) return this.#later(this.#notBefore - now);
    while (this.#unserved() > 0 && this.#total < this.options.min && this.#mayOpen) this.#open();
    if (this.#unserved() <= 0 || this.#total < this.options.min || this.#total >= this.room.capacity) return;
    const waited = now - (this.demand.oldest() ?? now);
    if (waited >= this.options.growAfterMs && this.#mayOpen) this.#open();
    this.#later(Math.max(this.options.growAfterMs - waited, 1));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const it of this.#opening) it.abandon();
  }

  /** The first of several asks the server how many it can take. */
  get #mayOpen(): boolean {
    return this.opening < (this.room.isKnown ? MAX_AT_ONCE : 1);
  }

  get #total(): number {
    return this.demand.size() + this.opening;
  }

  #unserved(): number {
    return this.demand.wanted() - this.opening;
  }

  #later(ms: number): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.consider();
    }, ms);
  }

  #open(): void {
    const connection = new PooledConnection(this.#config(), (it, error) => this.events.broken(it, error));
    this.#opening.add(connection);
    connection
      .open((client) => this.#setUp(client))
      .then(
        () => this.#opened(connection),
        (error: Error) => this.#failed(connection, error),
      );
  }

  #config(): ClientConfig {
    const { connectionString, applicationName, connectTimeoutMs, statementTimeoutMs } = this.options;
    return {
      connectionString,
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      keepAlive: true,
    };
  }

  async #setUp(client: Client): Promise<void> {
    const { session } = this.options;
    if (!this.#isChecked) await checkSettings(client, session);
    this.#isChecked = true;
    const settings = settingsStatement(session);
    if (settings) await client.query(settings);
    const now = performance.now();
    if (this.room.isDue(now)) await this.room.ask(client, this.#total, now);
  }

  #opened(connection: PooledConnection): void {
    this.#opening.delete(connection);
    this.#failures = 0;
    this.#lastError = undefined;
    this.counters.opened++;
    this.room.granted(this.demand.size() + 1);
    this.events.opened(connection);
    // One after the other, behind the callers' backs.
    if (!this.#isClosed && this.#total < Math.min(this.options.min, this.room.capacity)) this.#open();
    else this.consider();
  }

  #failed(connection: PooledConnection, error: Error): void {
    this.#opening.delete(connection);
    if (this.#isClosed) return;
    this.#lastError = error;
    this.counters.openFailures++;
    this.#notBefore = performance.now() + Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
    if (error instanceof PoolSettingsError) return this.events.refused(error);
    if (error instanceof DatabaseError) {
      if (error.code === TOO_MANY_CONNECTIONS) this.room.refused(this.demand.size());
      else if (REFUSALS.test(error.code ?? '')) {
        return this.events.refused(new PoolConnectError({ cause: error }));
      }
    }
    this.consider();
  }
}
