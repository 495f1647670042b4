import type { Scope } from '../coherence/scopes.js';

/** The right to load an entry, held by one process until it has stored the value, gives it back, or lets it run out. */
export interface Lease {
  readonly entry: Scope;
  /** Names the holder. */
  readonly token: string;
  /**
   * Higher than that of every lease on this entry before, also when the entry was removed or Redis restarted in between,
   * as long as the clock of Redis does not go back. Fits into a double.
   */
  readonly fence: number;
  /** How long it lives unless it is renewed, milliseconds of the clock of Redis. */
  readonly leaseMs: number;
}
