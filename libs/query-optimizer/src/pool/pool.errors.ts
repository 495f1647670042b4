import { type QueryPriority } from './query-priority.js';

/** What the pool itself refuses or cannot do. Errors of statements are the driver's own. */
export abstract class PoolError extends Error {
  abstract readonly code: `POOL_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The options of the pool are wrong. The message lists every problem, never a password. */
export class InvalidPoolOptionsError extends PoolError {
  readonly code = 'POOL_INVALID_OPTIONS';

  constructor(readonly problems: readonly string[]) {
    super(`The options of the pool are not valid:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** The server does not take the session settings. Every problem, by name. No connection is handed out. */
export class PoolSettingsError extends PoolError {
  readonly code = 'POOL_INVALID_SETTINGS';

  constructor(readonly problems: readonly string[]) {
    super(`The server does not take the session settings:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** As many callers wait as may wait. Shed load, or raise `max` or `maxWaiting`. */
export class PoolExhaustedError extends PoolError {
  readonly code = 'POOL_EXHAUSTED';

  constructor(
    readonly priority: QueryPriority,
    readonly waiting: number,
    readonly size: number,
  ) {
    super(`The pool is exhausted: ${size} connections are in use and ${waiting} callers wait`);
  }
}

/** No connection became free in time. `cause` says why none could be opened, if that was the reason. */
export class PoolTimeoutError extends PoolError {
  readonly code = 'POOL_ACQUIRE_TIMEOUT';

  constructor(
    readonly priority: QueryPriority,
    readonly timeoutMs: number,
    readonly size: number,
    options?: { readonly cause: Error },
  ) {
    const reason = options ? `: ${options.cause.message}` : '';
    super(`No connection became free within ${timeoutMs} ms; the pool has ${size}${reason}`, options);
  }
}

/** The server cannot be reached with these options: it refuses the login, or there is no such database. */
export class PoolConnectError extends PoolError {
  readonly code = 'POOL_CONNECT';

  constructor(options: ErrorOptions & { readonly cause: Error }) {
    super(`PostgreSQL refuses the connection: ${options.cause.message}`, options);
  }
}

/** The pool is closed, or closes. */
export class PoolClosedError extends PoolError {
  readonly code = 'POOL_CLOSED';

  constructor() {
    super('The pool is closed');
  }
}

/** A lease was released a second time. A programming error. */
export class LeaseReleasedError extends PoolError {
  readonly code = 'POOL_RELEASED_TWICE';

  constructor() {
    super('The connection has been released before; somebody else may use it by now');
  }
}
