import type pg from 'pg';

/** Any number that other users of advisory locks in the database are not likely to take. */
const LOCK = 7_061_402_194;

/**
 * What takes several statements and must be one step. As functions they are one round trip each, so a process that
 * stands still between two statements holds no locks that others wait for. Once released, a changed function needs a
 * new name: processes of both versions may share the database.
 */
const INSTALL = `
-- Puts failed tasks back to waiting. Only rows that are failed are locked, so no worker ever waits for this. Of two with
-- one dedupe key the first gets it, unless one has it still.
--
-- What BullMQ and we note about an attempt goes, also why the task was put off, which would count from then. The number
-- of claims stays, for a fence must rise, and what its isolation holds against it, but for lost claims, which BullMQ
-- counts anew.
CREATE FUNCTION peregrine_redrive(p_queue text, p_ids text[], p_numbers jsonb, p_now bigint, p_kept integer)
RETURNS TABLE (id text, outcome text, woken bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
BEGIN
  -- BullMQ takes these for every change of a dedupe key. Ordered, so that two redrives never wait for each other.
  PERFORM pg_advisory_xact_lock(key)
    FROM (
      SELECT DISTINCT hashtext('bullmq:dedup:' || queue || ':' || dedup_id) AS key
        FROM job WHERE queue = p_queue AND id = ANY(p_ids) AND state = 'failed' AND dedup_id IS NOT NULL
       ORDER BY key
    ) AS keys;
  -- A statement of its own: it sees what happened before it got the locks.
  RETURN QUERY
WITH dead AS MATERIALIZED (
  SELECT id, dedup_id, opts FROM job
   WHERE queue = p_queue AND id = ANY(p_ids) AND state = 'failed' ORDER BY id FOR UPDATE
), free AS MATERIALIZED (
  SELECT DISTINCT ON (dead.dedup_id) dead.id, dead.dedup_id, dedup.job_id IS NOT DISTINCT FROM dead.id AS is_held,
         (dead.opts -> 'deduplication' ->> 'ttl')::bigint AS ttl
    FROM dead LEFT JOIN dedup
      ON dedup.queue = p_queue AND dedup.dedup_id = dead.dedup_id AND (dedup.expire_at_ms IS NULL OR dedup.expire_at_ms > p_now)
   WHERE dead.dedup_id IS NOT NULL
     AND (dedup.job_id IS NULL OR dedup.job_id = dead.id OR (dedup.expire_at_ms IS NULL AND NOT EXISTS (
       SELECT 1 FROM job AS holder WHERE holder.queue = p_queue AND holder.id = dedup.job_id
     )))
   ORDER BY dead.dedup_id, is_held DESC, array_position(p_ids, dead.id)
), taken AS (
  INSERT INTO dedup (queue, dedup_id, job_id, expire_at_ms)
  SELECT p_queue, dedup_id, id, p_now + ttl FROM free WHERE NOT is_held
  ON CONFLICT (queue, dedup_id) DO UPDATE SET job_id = EXCLUDED.job_id, expire_at_ms = EXCLUDED.expire_at_ms
), redriven AS (
  UPDATE job SET
         state = 'waiting', seq = nextval('job_seq'), process_at_ms = NULL, processed_at_ms = NULL,
         finished_at_ms = NULL, return_value = NULL, failed_reason = NULL, stacktrace = NULL, progress = NULL,
         deferred_failure = NULL, attempts_made = 0, stalled_count = 0, delay_ms = 0,
         priority = coalesce((p_numbers ->> (job.data ->> 'priority'))::integer, (p_numbers ->> 'NORMAL')::integer),
         data = jsonb_set(job.data - 'putOff', '{isolation,stalls}', '0', false),
         opts = job.opts - 'cancel' || jsonb_build_object(
           'redrives', coalesce((job.opts ->> 'redrives')::integer, 0) + 1,
           'failures', (
             SELECT jsonb_agg(failure ORDER BY nth) FROM (
               SELECT failure, nth FROM jsonb_array_elements(
                 coalesce(job.opts -> 'failures', '[]') || jsonb_build_object(
                   'error', coalesce(job.failed_reason, ''), 'failedAtMs', job.finished_at_ms,
                   'attempts', job.attempts_made
                 )
               ) WITH ORDINALITY AS failures(failure, nth) ORDER BY nth DESC LIMIT p_kept
             ) AS kept
           )
         )
    FROM dead
   WHERE job.queue = p_queue AND job.id = dead.id
     AND (dead.dedup_id IS NULL OR dead.id IN (SELECT id FROM free))
  RETURNING job.id
), woken AS (
  SELECT pg_notify('bullmq_jobs', p_queue) FROM redriven LIMIT 1
)
SELECT wanted.id, CASE
         WHEN redriven.id IS NOT NULL THEN 'redriven'
         WHEN dead.id IS NOT NULL THEN 'duplicate'
         WHEN job.id IS NOT NULL THEN 'not-dead'
         ELSE 'not-found'
       END, (SELECT count(*) FROM woken)
  FROM unnest(p_ids) AS wanted(id)
  LEFT JOIN redriven USING (id) LEFT JOIN dead USING (id) LEFT JOIN job ON job.queue = p_queue AND job.id = wanted.id;
END $$;

-- BullMQ's search for stalled tasks; then ends those that it has given up, because their workers died too often, where
-- it would wait for a worker to claim them once more. One whose cancellation was asked for meanwhile goes back, to end
-- as cancelled.
CREATE FUNCTION peregrine_move_stalled(
  p_queue text, p_max_stalled integer, p_now bigint, p_interval bigint, p_reason text
) RETURNS TABLE (id text, is_failed boolean)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  v_moved text[];
BEGIN
  SELECT array_agg(stalled.id) INTO v_moved
    FROM move_stalled_jobs_to_wait(p_queue, p_max_stalled, p_now, p_interval) AS stalled(id);
  IF v_moved IS NULL THEN RETURN; END IF;
  RETURN QUERY
  WITH given_up AS MATERIALIZED (
    SELECT id, opts ? 'cancel' AS is_cancelled FROM job
     WHERE queue = p_queue AND id = ANY(v_moved) AND state = 'waiting' AND deferred_failure IS NOT NULL
  ), spared AS (
    UPDATE job SET deferred_failure = NULL FROM given_up
     WHERE job.queue = p_queue AND job.id = given_up.id AND is_cancelled
  ), ended AS (
    UPDATE job SET
           state = 'failed', deferred_failure = NULL, finished_at_ms = p_now, attempts_made = attempts_made + 1,
           failed_reason = replace(replace(p_reason, '{stalls}', stalled_count::text), '{worker}',
             coalesce(processed_by, 'of unknown name'))
      FROM given_up
     WHERE job.queue = p_queue AND job.id = given_up.id AND NOT is_cancelled
    RETURNING job.id, job.dedup_id
  ), freed AS (
    DELETE FROM dedup USING ended
     WHERE dedup.queue = p_queue AND dedup.dedup_id = ended.dedup_id AND dedup.job_id = ended.id
       AND dedup.expire_at_ms IS NULL
  )
  SELECT moved.id, moved.id IN (SELECT ended.id FROM ended) FROM unnest(v_moved) AS moved(id);
END $$;
`;

const IS_INSTALLED = `
SELECT 1 FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
 WHERE proname = 'peregrine_move_stalled' AND nspname = current_schema()`;

/** Several processes may do this at once. The search path of the client is the schema of BullMQ's tables. */
export async function installFunctions(client: pg.Client): Promise<void> {
  const isInstalled = async () => (await client.query(IS_INSTALLED)).rowCount === 1;
  if (await isInstalled()) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    if (!(await isInstalled())) await client.query(INSTALL);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
