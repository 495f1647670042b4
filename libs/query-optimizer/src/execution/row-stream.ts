import { type Statement } from '../analysis/statement.js';
import { type AcquireOptions } from '../pool/acquire-options.js';
import { type PriorityPool } from '../pool/priority-pool.js';
import { QueryNotStreamableError } from '../query-optimizer.errors.js';

const ROWS_AT_ONCE = 1_000;
const CURSOR = 'peregrine_stream';

/** @throws {QueryNotStreamableError} */
export async function* streamRows<R>(
  pool: PriorityPool,
  statement: Statement,
  parameters: readonly unknown[],
  options: AcquireOptions,
): AsyncGenerator<R, void, undefined> {
  if (statement.kind !== 'select') throw new QueryNotStreamableError(statement.kind);
  // Left early or failed, it comes back inside its transaction, which the pool rolls back.
  using lease = await pool.acquire(options);
  const { client } = lease;
  await client.query('BEGIN');
  await client.query(`DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${statement.text}`, [...parameters]);
  for (;;) {
    const { rows } = await client.query<Record<string, unknown>>(`FETCH ${ROWS_AT_ONCE} FROM ${CURSOR}`);
    yield* rows as R[];
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query('COMMIT');
}
