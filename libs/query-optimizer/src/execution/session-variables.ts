import { type Client } from 'pg';
import { settingsStatement } from '../pool/session-settings.js';
import { QueryVariableError } from '../query-optimizer.errors.js';
import { type QueryTap } from '../tap/query-tap.js';

/** Settings for the time of one statement. */
export type SessionVariables = Readonly<Record<string, string>>;

/** Others decide what names mean, or how values are written: `search_path`, `role`, `timezone`. */
const CUSTOM_NAME = /^[a-z_]\w*(\.[a-z_]\w*)+$/i;

/** @throws {QueryVariableError} */
export function assertVariables(variables: SessionVariables): void {
  for (const it of Object.keys(variables)) if (!CUSTOM_NAME.test(it)) throw new QueryVariableError(it);
}

/** Runs the work in a transaction that has the settings, and that they end with. @throws what the work throws */
export async function withVariables<T>(
  tap: QueryTap,
  client: Client,
  variables: SessionVariables,
  work: () => Promise<T>,
): Promise<T> {
  const settings = settingsStatement(variables, 'transaction');
  await client.query('BEGIN');
  try {
    if (settings) await tap.unseen(client, settings.text, settings.values);
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // On a lost connection there is nothing to roll back.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
