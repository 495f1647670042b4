import type pg from 'pg';
import { type StoreCounts } from './task-operations.js';

/** Any number that other users of advisory locks in the database are not likely to take. */
const LOCK = 7_061_402_193;

const IS_ON = `current_setting('peregrine.counts', true) IS DISTINCT FROM 'off'`;

/**
 * Counts the tasks by state as they change, since counting them reads every row. The statement that changes tasks
 * adds its difference to any row of the queue's counters that no other transaction holds, or to a new one: so nobody
 * ever waits for a counter, there are about as many rows as transactions at once, and their sum is exact.
 *
 * Triggers do that, unless `peregrine.counts` is `off`: our own functions know what they have changed.
 */
const INSTALL = `
CREATE TABLE IF NOT EXISTS peregrine_task_count (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL,
  waiting bigint NOT NULL,
  delayed bigint NOT NULL,
  active bigint NOT NULL,
  completed bigint NOT NULL,
  failed bigint NOT NULL
) WITH (fillfactor = 20);
CREATE INDEX IF NOT EXISTS peregrine_task_count_queue_idx ON peregrine_task_count (queue);

CREATE OR REPLACE FUNCTION peregrine_add_task_count(
  p_queue text, p_waiting bigint, p_delayed bigint, p_active bigint, p_completed bigint, p_failed bigint
) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  -- A transaction with an older snapshot could not change a row that others have changed since.
  IF current_setting('transaction_isolation') = 'read committed' THEN
    UPDATE peregrine_task_count
       SET waiting = waiting + coalesce(p_waiting, 0), delayed = delayed + coalesce(p_delayed, 0),
           active = active + coalesce(p_active, 0), completed = completed + coalesce(p_completed, 0),
           failed = failed + coalesce(p_failed, 0)
     WHERE id = (
       SELECT id FROM peregrine_task_count WHERE queue = p_queue LIMIT 1 FOR UPDATE SKIP LOCKED
     );
    IF FOUND THEN RETURN; END IF;
  END IF;
  INSERT INTO peregrine_task_count (queue, waiting, delayed, active, completed, failed)
  VALUES (p_queue, coalesce(p_waiting, 0), coalesce(p_delayed, 0), coalesce(p_active, 0),
    coalesce(p_completed, 0), coalesce(p_failed, 0));
END $$;

CREATE OR REPLACE FUNCTION peregrine_count_tasks() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM peregrine_add_task_count(queue, count(*) FILTER (WHERE state = 'waiting'),
      count(*) FILTER (WHERE state = 'delayed'), count(*) FILTER (WHERE state = 'active'),
      count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'failed'))
      FROM added GROUP BY queue;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM peregrine_add_task_count(queue, -count(*) FILTER (WHERE state = 'waiting'),
      -count(*) FILTER (WHERE state = 'delayed'), -count(*) FILTER (WHERE state = 'active'),
      -count(*) FILTER (WHERE state = 'completed'), -count(*) FILTER (WHERE state = 'failed'))
      FROM removed GROUP BY queue;
  ELSE
    PERFORM peregrine_add_task_count(queue, sum(n) FILTER (WHERE state = 'waiting'),
      sum(n) FILTER (WHERE state = 'delayed'), sum(n) FILTER (WHERE state = 'active'),
      sum(n) FILTER (WHERE state = 'completed'), sum(n) FILTER (WHERE state = 'failed'))
      FROM (SELECT queue, state, 1 AS n FROM added UNION ALL SELECT queue, state, -1 FROM removed) AS changed
     GROUP BY queue HAVING count(DISTINCT state) > 1;
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS peregrine_count_added ON job;
DROP TRIGGER IF EXISTS peregrine_count_changed ON job;
DROP TRIGGER IF EXISTS peregrine_count_removed ON job;
CREATE TRIGGER peregrine_count_added AFTER INSERT ON job REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT WHEN (${IS_ON}) EXECUTE FUNCTION peregrine_count_tasks();
CREATE TRIGGER peregrine_count_changed AFTER UPDATE ON job REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT WHEN (${IS_ON}) EXECUTE FUNCTION peregrine_count_tasks();
CREATE TRIGGER peregrine_count_removed AFTER DELETE ON job REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT WHEN (${IS_ON}) EXECUTE FUNCTION peregrine_count_tasks();

DELETE FROM peregrine_task_count;
INSERT INTO peregrine_task_count (queue, waiting, delayed, active, completed, failed)
SELECT queue, count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'delayed'),
       count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE state = 'failed')
  FROM job GROUP BY queue;
`;

const IS_INSTALLED = `
SELECT 1 FROM pg_trigger
 WHERE tgname = 'peregrine_count_removed' AND tgrelid = to_regclass('job') AND tgqual IS NOT NULL`;

const READ = `
SELECT coalesce(sum(waiting), 0) AS waiting, coalesce(sum(delayed), 0) AS delayed,
       coalesce(sum(active), 0) AS running, coalesce(sum(completed), 0) AS completed,
       coalesce(sum(failed), 0) AS failed
  FROM peregrine_task_count WHERE queue = $1`;

/** Sums up rows that transactions at once, or with old snapshots, have left. */
const COMPACT = `
WITH taken AS (
  DELETE FROM peregrine_task_count
   WHERE id IN (SELECT id FROM peregrine_task_count WHERE queue = $1 FOR UPDATE SKIP LOCKED)
  RETURNING *
)
INSERT INTO peregrine_task_count (queue, waiting, delayed, active, completed, failed)
SELECT queue, sum(waiting), sum(delayed), sum(active), sum(completed), sum(failed) FROM taken GROUP BY queue`;

/** Several processes may do this at once. The search path of the client is the schema of BullMQ's tables. */
export async function installTaskCount(client: pg.Client): Promise<void> {
  const isInstalled = async () => (await client.query(IS_INSTALLED)).rowCount === 1;
  if (await isInstalled()) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    // No task may change between the first count and the triggers. Those of an earlier version go, which nobody may read.
    await client.query('LOCK TABLE job IN ACCESS EXCLUSIVE MODE');
    if (!(await isInstalled())) await client.query(INSTALL);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

export async function readTaskCount(pool: Pick<pg.Pool, 'query'>, queue: string): Promise<StoreCounts> {
  const { rows } = await pool.query<Record<keyof StoreCounts, string>>(READ, [queue]);
  const of = (state: keyof StoreCounts) => Number(rows[0]?.[state] ?? 0);
  return {
    waiting: of('waiting'),
    delayed: of('delayed'),
    running: of('running'),
    completed: of('completed'),
    failed: of('failed'),
  };
}

export async function compactTaskCount(pool: Pick<pg.Pool, 'query'>, queue: string): Promise<void> {
  await pool.query(COMPACT, [queue]);
}
