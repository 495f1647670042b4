import type pg from 'pg';

/**
 * Makes a function that is not there yet. Several processes may do this at once.
 *
 * @param client its search path is the schema of BullMQ's tables
 * @param lock any number that other users of advisory locks in the database are not likely to take
 */
export async function installFunction(
  client: pg.Client,
  name: string,
  statement: string,
  lock: number,
): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_proc WHERE oid = to_regproc($1)', [name]);
  if (rowCount === 1) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lock]);
    await client.query(statement);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
