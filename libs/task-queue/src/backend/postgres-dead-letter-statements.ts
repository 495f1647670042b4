/**
 * The latest failure first; equals by id, highest first, byte by byte as on Redis.
 *
 * $1 queue, $2 task or null, $3 part of the error or null, $4 since, $5 before, $6 and $7 time and id that it comes
 * after or null, $8 most
 */
export const DEAD_LETTERS = `
SELECT id, finished_at_ms AS failed_at, coalesce(failed_reason, '') AS error, attempts_made AS attempts,
       added_at_ms AS submitted_at, data ->> 'priority' AS priority, coalesce(opts ->> 'redrives', '0') AS redrives
  FROM job
 WHERE queue = $1 AND state = 'failed'
   AND ($2::text IS NULL OR name = $2)
   AND ($3::text IS NULL OR strpos(failed_reason, $3) > 0)
   AND ($4::bigint IS NULL OR finished_at_ms >= $4)
   AND ($5::bigint IS NULL OR finished_at_ms < $5)
   AND ($6::bigint IS NULL OR finished_at_ms < $6 OR (finished_at_ms = $6 AND id COLLATE "C" < $7))
   AND finished_at_ms <= coalesce($6, 9223372036854775807)
 ORDER BY finished_at_ms DESC, id COLLATE "C" DESC
 LIMIT $8`;

/** $1 queue, $2 id */
export const DEAD_LETTER = `
SELECT state::text, id, finished_at_ms AS failed_at, coalesce(failed_reason, '') AS error,
       attempts_made AS attempts, added_at_ms AS submitted_at, data ->> 'priority' AS priority,
       coalesce(opts ->> 'redrives', '0') AS redrives, data ->> 'payload' AS payload,
       coalesce(data ->> 'schema', '1') AS schema, coalesce(stacktrace, '[]') AS stacks,
       CASE WHEN jsonb_typeof(progress) = 'string' THEN progress #>> '{}' END AS progress, max_attempts,
       attempts_started AS claims, stalled_count AS stalls, processed_by AS worker, processed_at_ms AS started_at,
       coalesce(opts -> 'failures', '[]') AS failures,
       ARRAY(SELECT row FROM job_log WHERE job_log.queue = job.queue AND job_id = job.id ORDER BY idx) AS log
  FROM job WHERE queue = $1 AND id = $2`;

/** See `postgres-functions.ts`. $1 queue, $2 ids, $3 numbers by class, $4 now, $5 ends of earlier lives to keep */
export const REDRIVE = 'SELECT id, outcome FROM peregrine_redrive($1, $2, $3, $4, $5)';

/** $1 queue, $2 ids. What belongs to a job goes with its row. */
export const PURGE = `
WITH dead AS MATERIALIZED (
  SELECT id FROM job WHERE queue = $1 AND id = ANY($2::text[]) AND state = 'failed' ORDER BY id FOR UPDATE
), purged AS (
  DELETE FROM job USING dead WHERE job.queue = $1 AND job.id = dead.id RETURNING job.id, job.dedup_id
), freed AS (
  DELETE FROM dedup USING purged
   WHERE dedup.queue = $1 AND dedup.dedup_id = purged.dedup_id AND dedup.job_id = purged.id
)
SELECT wanted.id, CASE
         WHEN purged.id IS NOT NULL THEN 'purged' WHEN job.id IS NOT NULL THEN 'not-dead' ELSE 'not-found'
       END AS outcome
  FROM unnest($2::text[]) AS wanted(id)
  LEFT JOIN purged USING (id) LEFT JOIN job ON job.queue = $1 AND job.id = wanted.id`;

/** $1 queue, $2 ids */
export const DEAD_LETTER_STATES = `
SELECT id, CASE WHEN state = 'failed' THEN 'dead' ELSE 'not-dead' END AS outcome
  FROM job WHERE queue = $1 AND id = ANY($2::text[])`;
