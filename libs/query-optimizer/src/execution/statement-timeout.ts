import { type Client } from 'pg';
import { type PriorityPool } from '../pool/priority-pool.js';
import { QueryTimeoutError } from '../query-optimizer.errors.js';

/** The server cancelled it on request, or because of `statement_timeout`. */
const QUERY_CANCELED = '57014';

/**
 * The limit that the server itself keeps, told like one of the caller's. Its text is in the server's language, and the
 * code is the same when somebody cancels the statement, so the time decides.
 */
export function explainCancellation(error: unknown, limitMs: number, tookMs: number): unknown {
  const isLimit = limitMs > 0 && tookMs >= limitMs && (error as { code?: string }).code === QUERY_CANCELED;
  return isLimit ? new QueryTimeoutError(limitMs, { cause: error }) : error;
}

/**
 * Has the server cancel what the client does when its time is over: the connection stays good, unlike with a client that
 * just stops waiting.
 *
 * @throws {QueryTimeoutError} and what the work throws
 */
export async function withTimeout<T>(
  pool: PriorityPool,
  client: Client,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const { processID } = client as unknown as { processID: number };
  let cancelling: Promise<unknown> | undefined;
  const timer = setTimeout(() => {
    cancelling = pool
      .query('SELECT pg_cancel_backend($1)', [processID], { priority: 'high' })
      // Without it the statement runs on to the pool's own limit.
      .catch(() => undefined);
  }, timeoutMs);
  try {
    return await work();
  } catch (error) {
    if (!cancelling || (error as { code?: string }).code !== QUERY_CANCELED) throw error;
    throw new QueryTimeoutError(timeoutMs, { cause: error });
  } finally {
    clearTimeout(timer);
    // It must not hit who has the connection next.
    await cancelling;
  }
}
