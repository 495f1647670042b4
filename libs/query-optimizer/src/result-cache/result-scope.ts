import { type SessionVariables } from '../execution/session-variables.js';

/** On whose behalf a statement runs: what decides its answer besides text, parameters and data. */
export interface ResultScope {
  readonly role: string;
  readonly searchPath: readonly string[];
  /** What policies and functions read from the session: a tenant's id. */
  readonly variables?: SessionVariables;
}
