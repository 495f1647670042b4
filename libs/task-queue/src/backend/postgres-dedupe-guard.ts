import type pg from 'pg';

/**
 * BullMQ's PostgreSQL backend notes a task as the first with its `dedupe.key` before it looks whether the id is taken.
 * A repeated submission of a task that has ended would so hold the key for ever, and every later task with another id
 * be taken for its duplicate. On Redis the id comes first, and so it does here with this trigger.
 */
const INSTALL = `
CREATE OR REPLACE FUNCTION peregrine_keep_ended_from_dedupe() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM job WHERE queue = NEW.queue AND id = NEW.job_id AND state IN ('completed', 'failed')
  ) THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER peregrine_keep_ended_from_dedupe BEFORE INSERT ON dedup
  FOR EACH ROW EXECUTE FUNCTION peregrine_keep_ended_from_dedupe()`;

const IS_INSTALLED = `
SELECT 1 FROM pg_trigger WHERE tgname = 'peregrine_keep_ended_from_dedupe' AND tgrelid = to_regclass('dedup')`;

/** Several processes may do this at once. The search path of the client is the schema of BullMQ's tables. */
export async function installDedupeGuard(client: pg.Client): Promise<void> {
  const isInstalled = async () => (await client.query(IS_INSTALLED)).rowCount === 1;
  if (await isInstalled()) return;
  await client.query('BEGIN');
  try {
    await client.query('LOCK TABLE dedup IN SHARE ROW EXCLUSIVE MODE');
    if (!(await isInstalled())) await client.query(INSTALL);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
