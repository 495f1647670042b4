export { describeConnection } from './connection-target.js';
export { connectDataSource, createDataSource, pingDatabase } from './data-source.js';
export {
  ConnectionLostError,
  DatabaseError,
  DatabaseOptionsError,
  DatabaseUnavailableError,
  InvalidCursorError,
  MigrationLockError,
  TransactionAbortedError,
  TransactionIsolationError,
} from './database.errors.js';
export { DatabaseModule } from './database.module.js';
export type { DatabaseOptions, DatabaseOptionsInput } from './database.options.js';
export { DATABASE_OPTIONS } from './database.tokens.js';
export { isForeignKeyViolation, isUnavailable, isUniqueViolation } from './driver-errors.js';
export { CursorCodec, type CursorPosition } from './keyset/cursor-codec.js';
export type { KeysetOrder } from './keyset/keyset-condition.js';
export {
  keysetPage,
  type KeysetKey,
  type KeysetPageOptions,
  type KeysetQuery,
  type Page,
} from './keyset/keyset-page.js';
export { narrowToPage } from './keyset/narrow-to-page.js';
export { revertMigration, runMigrations, type MigrationOptions } from './migrations.js';
export { quoteIdentifier } from './quote-identifier.js';
export { untilConnected, type UntilConnectedOptions } from './until-connected.js';
export { Transactions, type IsolationLevel, type TransactionOptions } from './transactions.js';
export { type DriverConnection, type DriverTransactions, driverTransactions } from './driver-transactions.js';
