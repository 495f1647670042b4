/** A connection to PostgreSQL as far as it is used here; every client of `pg` is one. */
export interface QueryClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
}

/** Work for after a commit. */
export type AfterCommit = () => void | Promise<void>;

/**
 * The application's transactions on PostgreSQL, as far as tasks take part in them. `PgTransactions` is one for a
 * pool of `pg`; another library needs these three.
 */
export interface TransactionSource {
  /** The connection of the open transaction that the calling code runs in; `undefined` outside of one. */
  current(): QueryClient | undefined;

  /** Runs the work once the current transaction has committed; drops it when that, or this try of it, rolls back. */
  afterCommit(work: AfterCommit): void | Promise<void>;

  /** A transaction: commits when the work resolves, rolls back when it rejects. The work may be run again. */
  run<T>(work: (client: QueryClient) => Promise<T>): Promise<T>;
}
