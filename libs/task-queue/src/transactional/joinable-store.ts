import { type NewTask } from '../queue/new-task.js';
import { type QueryClient } from './transaction-source.js';

/** A store whose tables can be written by a transaction of the caller's. */
export interface JoinableStore {
  /**
   * Whether its tables are in the database of this connection. Asked of the servers once.
   *
   * @throws {QueueUnavailableError} without a statement of the transaction having failed
   */
  isOn(client: QueryClient): Promise<boolean>;

  /**
   * As `TaskStore.addMany`, but seen by others only when the transaction commits. One round trip.
   *
   * @throws the driver's error; the transaction can then only be rolled back, or a savepoint of it
   */
  add(client: QueryClient, tasks: readonly NewTask[]): Promise<string[]>;

  /**
   * Completes a running task when the transaction commits.
   *
   * @param token of the claim
   * @param result JSON text
   * @throws {TaskOwnershipLostError} the claim is another's by now; the transaction can only be rolled back
   * @throws the driver's error, like `add`
   */
  complete(client: QueryClient, claim: Claim, result: string): Promise<void>;
}

/** What a worker holds. */
export interface Claim {
  readonly jobId: string;
  readonly token: string;
}

/** A task on its way from an outbox to the store. */
export interface Relayed {
  /** Unique to the row of the outbox. */
  readonly marker: string;
  readonly task: NewTask;
}

/**
 * The store's side of a relay. What was taken is marked there in the same atomic step, so it is known as taken for as
 * long as the relay may ask, whether or not the store still keeps the task itself.
 */
export interface RelayTarget {
  /**
   * Enqueues what it has not taken before; all or nothing.
   *
   * @param isFresh asked after the marks were read; false ends it with nothing taken
   * @throws the driver's error, and `RelayStaleError`
   */
  take(rows: readonly Relayed[], isFresh: () => boolean): Promise<void>;

  /** The rows are gone from the outbox: the marks may go soon. */
  settle(markers: readonly string[]): Promise<void>;

  close(): Promise<void>;
}

/** Marks outlive the longest time that a row may still be locked by a relay that is gone. */
export const MARK_MS = 7 * 24 * 3_600_000;
/** Marks of settled rows outlive every relay that could have read the rows before; see `FRESH_MS`. */
export const SETTLED_MARK_MS = 120_000;
/** A relay that read its rows longer ago than this starts anew. */
export const FRESH_MS = 30_000;

/** The relay was held up for so long that another may have taken its rows. Nothing was taken. */
export class RelayStaleError extends Error {
  override readonly name = 'RelayStaleError';
}
