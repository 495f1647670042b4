import { type PgPool, type PgPoolClient, type PgQueryResult } from 'bullmq';
import type pg from 'pg';

/**
 * The database is not there. BullMQ waits and tries again on a refused connection, and takes every other error of
 * the driver for a failure of the task, which would then be run again or fail: so a lost connection carries the
 * code of a refused one.
 */
export class DatabaseConnectionError extends Error {
  override readonly name = 'DatabaseConnectionError';
  readonly code = 'ECONNREFUSED';
}

const LOST = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client was closed',
];
const LOST_CODES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENOENT',
];

/** Of a statement that others keep in the way of. After that it counts as an outage: BullMQ waits and tries again. */
const MAX_RETRIES = 5;

/** A pool for BullMQ that tells lost connections from wrong statements. */
export class PostgresPool implements PgPool {
  constructor(
    private readonly pool: pg.Pool,
    private readonly onLost: (error: Error) => void,
  ) {}

  /**
   * A statement that fell victim to a deadlock, which the search for stalled tasks can cause, left no trace and is
   * repeated. To BullMQ it would be a failure of the task that was about to complete.
   */
  async query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    for (let retries = 0; ; retries++) {
      try {
        return await this.pool.query<R & pg.QueryResultRow>(text, params && [...params]);
      } catch (error) {
        if (!isVictim(error) || retries === MAX_RETRIES) throw this.#translate(error);
      }
    }
  }

  async connect(): Promise<PgPoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'connect', listener: (client: PgPoolClient) => void): this;
  on(): this {
    // The pool's own events are handled here, for as long as it lives; BullMQ would detach at its close.
    return this;
  }

  removeAllListeners(): this {
    return this;
  }

  #translate(error: unknown): unknown {
    if (!isLostConnection(error) && !isVictim(error)) return error;
    this.onLost(error);
    return new DatabaseConnectionError(error.message || 'connection refused', { cause: error });
  }
}

function isLostConnection(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  // Classes 08 connection exception, 57P0x shutdown and start-up, 53300 too many connections.
  if (/^(08|57P0)/.test(code) || code === '53300' || LOST_CODES.includes(code)) return true;
  return LOST.some((it) => error.message.includes(it));
}

/** 40P01 deadlock detected, 40001 could not serialize: everything the statement did was taken back. */
function isVictim(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');
}
