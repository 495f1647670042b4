/** Base of every error of this package. `code` is stable; messages never contain a password. */
export abstract class DatabaseError extends Error {
  abstract readonly code: `DATABASE_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The options given to the module, to `createDataSource` or to `EmbeddedPostgres.start` are wrong. */
export class DatabaseOptionsError extends DatabaseError {
  readonly code = 'DATABASE_OPTIONS';

  constructor(readonly problems: readonly string[]) {
    super(`The database options are wrong:\n${problems.map((it) => `  - ${it}`).join('\n')}`);
  }
}

/** The database did not accept a connection within `startTimeoutMs`. The driver's error is the `cause`. */
export class DatabaseUnavailableError extends DatabaseError {
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(
    readonly target: { readonly host: string; readonly port: number; readonly database: string },
    readonly attempts: number,
    hint: string,
    options?: ErrorOptions,
  ) {
    super(
      `No connection to PostgreSQL at ${target.host}:${target.port}, database "${target.database}", ` +
        `after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}. ${hint}`,
      options,
    );
  }
}

/** A cursor was tampered with, cut off, too long, or made for another list, filter or order. Answer 400. */
export class InvalidCursorError extends DatabaseError {
  readonly code = 'DATABASE_INVALID_CURSOR';

  constructor() {
    super('The cursor is not valid for this list. Start again without a cursor.');
  }
}

/**
 * A statement of the transaction failed and its error was caught by the work, so PostgreSQL would turn the
 * commit into a rollback without saying so. Nothing was written.
 */
export class TransactionAbortedError extends DatabaseError {
  readonly code = 'DATABASE_TRANSACTION_ABORTED';

  constructor() {
    super('A statement in this transaction failed and its error was caught: nothing can be committed.');
  }
}

/** The connection broke during a transaction. Before the commit, nothing was written; during it, nobody knows. */
export class ConnectionLostError extends DatabaseError {
  readonly code = 'DATABASE_CONNECTION_LOST';

  constructor(options?: ErrorOptions) {
    super('The connection to PostgreSQL was lost during a transaction.', options);
  }
}

/** A nested `run` asked for a stronger isolation than the transaction that it would join has. */
export class TransactionIsolationError extends DatabaseError {
  readonly code = 'DATABASE_TRANSACTION_ISOLATION';

  constructor(
    readonly wanted: string,
    readonly current: string,
  ) {
    super(
      `A transaction with isolation ${wanted} cannot join one with ${current}: ask for it in the outer run.`,
    );
  }
}

/** Another process held the migration lock for longer than `lockTimeoutMs`. Nothing was changed. */
export class MigrationLockError extends DatabaseError {
  readonly code = 'DATABASE_MIGRATION_LOCK';

  constructor(readonly lockTimeoutMs: number) {
    super(
      `Another process has been migrating this database for more than ${lockTimeoutMs} ms. ` +
        'Wait for it, or end it, and run the migrations again.',
    );
  }
}

/** `createTestDatabase` got no server to create the database on. */
export class TestDatabaseUrlError extends DatabaseError {
  readonly code = 'DATABASE_TEST_URL';

  constructor() {
    super(
      'No PostgreSQL for the tests: run `npm test`, or set DATABASE_URL to a server where databases may be created.',
    );
  }
}
