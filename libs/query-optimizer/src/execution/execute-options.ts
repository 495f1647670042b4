import { type QueryPriority } from '../pool/query-priority.js';
import { type SessionVariables } from './session-variables.js';

export interface ExecuteOptions {
  /** Answer from the cache when nothing that the statement reads was written since. @default false */
  readonly cache?: boolean;
  /** How long a result is kept at most, milliseconds. @default the option `cache.ttlMs` */
  readonly ttlMs?: number;
  /** For `QueryOptimizer.invalidateTags`. */
  readonly tags?: readonly string[];
  /** @default that of `withQueryPriority` around the call, else `normal` */
  readonly priority?: QueryPriority;
  /** Cancels the statement after this long, milliseconds. @default the pool's `statementTimeoutMs` */
  readonly timeoutMs?: number;
  /**
   * Settings that policies and functions read (`{ 'app.tenant': '7' }`), set for this statement alone, which then runs in a
   * transaction of its own. They are in the key; statements that depend on the session are cached only with them, and only
   * right if they depend on nothing else of it.
   */
  readonly variables?: SessionVariables;
  /** Asks the primary, also where a replica could answer. @default false */
  readonly primary?: boolean;
  /** Ends the wait for a connection. */
  readonly signal?: AbortSignal;
}

export interface QueryAnswer<R> {
  readonly rows: readonly R[];
  /** From the call to the answer, milliseconds. */
  readonly durationMs: number;
  readonly source: 'cache' | 'database';
}
