import { type PooledConnection } from './pooled-connection.js';
import { type Waiter } from './waiting-line.js';

/** A caller that waits for a connection. */
export interface PoolWaiter extends Waiter {
  /** Holds the stack of the caller. */
  readonly taken: Error | undefined;
  resolve(connection: PooledConnection): void;
  reject(error: Error): void;
}
