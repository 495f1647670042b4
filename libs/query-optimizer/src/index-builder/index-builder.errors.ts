import { QueryOptimizerError } from '../query-optimizer.errors.js';

/** What should be built does not make sense; nothing was sent to the server. */
export class InvalidIndexPlanError extends QueryOptimizerError {
  readonly code = 'QUERY_INDEX_PLAN';
  constructor(readonly problems: readonly string[]) {
    super(`This index cannot be built: ${problems.join('; ')}`);
  }
}

/** Another process builds or drops indexes of this database at the moment. Nothing was changed. */
export class IndexBuilderBusyError extends QueryOptimizerError {
  readonly code = 'QUERY_INDEX_BUSY';
  constructor() {
    super('Another process builds indexes in this database; try again when it has finished');
  }
}

/** Why an index could not be built or dropped. */
export type IndexFailure =
  /** The role may not create or drop an index there. */
  | 'no-right'
  /** A replica, or a server that was made read-only. */
  | 'read-only'
  | 'no-table'
  /** The name is taken by an index that this library did not make. */
  | 'name-taken'
  /** The table was locked for longer than `lockTimeoutMs`, at every attempt. */
  | 'locked'
  | 'disk-full'
  | 'cancelled'
  | 'connection'
  /** The index in the ledger is not the one in the database any more. */
  | 'changed'
  | 'other';

/** An index was not built, or not dropped. What was half done is gone, or `leftover` says that it is not. */
export class IndexBuildError extends QueryOptimizerError {
  readonly code = 'QUERY_INDEX_BUILD';
  constructor(
    readonly indexName: string,
    readonly failure: IndexFailure,
    problem: string,
    readonly details: { readonly leftover?: string; readonly cause?: unknown } = {},
  ) {
    const rest =
      details.leftover === undefined ? '' : `; what is left of it could not be dropped: ${details.leftover}`;
    super(`The index ${indexName} was not changed: ${problem}${rest}`, { cause: details.cause });
  }
}

/** The ledger cannot be made, read or written, so nothing is built: what is built must stand there. Nothing was changed. */
export class IndexLedgerUnavailableError extends QueryOptimizerError {
  readonly code = 'QUERY_INDEX_LEDGER_UNAVAILABLE';
  constructor(
    readonly failure: IndexFailure,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The ledger of indexes cannot be used, and nothing is built without it: ${problem}`, options);
  }
}

/** There is no such entry in the ledger, or it says that there is nothing to revert. */
export class IndexLedgerEntryError extends QueryOptimizerError {
  readonly code = 'QUERY_INDEX_LEDGER';
  constructor(id: string, problem: string) {
    super(`The ledger's entry ${id} ${problem}`);
  }
}
