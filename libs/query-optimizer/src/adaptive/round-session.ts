import { type AdvisorClient, type AdvisorSource } from '../advisor/advisor.options.js';
import { type Ask } from '../execution/own-statements.js';

/** One lock for each database; that of the builder is another one, since a round holds this one while it builds. */
const LOCK = [0x70657265, 0x69647801] as const;

/** What is under way in this database? @returns whether some process holds the lock */
export async function isRoundUnderWay(ask: Ask): Promise<boolean> {
  const [row] = await ask<{ isHeld: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
                     WHERE locktype = 'advisory' AND granted AND objsubid = 2
                       AND classid = $1 AND objid = $2) AS "isHeld"`,
    LOCK,
  );
  return row?.isHeld === true;
}

/** @throws the driver's error */
export function asking(client: Pick<AdvisorClient, 'query'>): Ask {
  return async <R>(text: string, values: readonly unknown[] = []) =>
    (await client.query(text, values)).rows as readonly R[];
}

/**
 * The one process that decides about indexes of this database at the moment: its connection holds the lock as long as it lives, so
 * one that was killed makes room by itself. Outside of a transaction, since builds wait for those.
 *
 * @returns null, without having done anything, when another process is at it
 * @throws the driver's error, and what the work throws
 */
export async function withRoundLock<T>(
  source: AdvisorSource,
  timeoutMs: number,
  work: (client: AdvisorClient) => Promise<T>,
): Promise<{ readonly result: T } | null> {
  const client = await source.connect();
  try {
    const ask = asking(client);
    await ask(`SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false)`, [
      `${timeoutMs}ms`,
    ]);
    const [row] = await ask<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', LOCK);
    if (row?.locked !== true) return null;
    try {
      return { result: await work(client) };
    } finally {
      // Closing does it too, but later than whoever asks next. Without a connection there is no lock.
      await ask('SELECT pg_advisory_unlock($1, $2)', LOCK).catch(() => undefined);
    }
  } finally {
    // Its settings, and after a failure its lock, end with it for certain.
    client.release(true);
  }
}
