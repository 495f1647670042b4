import { type QueryPriority } from './query-priority.js';

export interface AcquireOptions {
  /** @default that of {@link withQueryPriority} around the call, else `normal` */
  readonly priority?: QueryPriority | undefined;
  /** How long to wait for a connection, milliseconds. @default the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number;
  /** Ends the wait; nothing is taken then. */
  readonly signal?: AbortSignal | undefined;
}

export interface PoolQueryOptions extends AcquireOptions {
  /** It only reads, so it is run once more when its connection was lost. @default false */
  readonly isRead?: boolean;
}
