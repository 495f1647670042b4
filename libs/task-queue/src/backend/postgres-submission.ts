import type pg from 'pg';
import { type NewJob, settingsText } from './new-job.js';
import { installFunction } from './postgres-install.js';

/** Any number that other users of advisory locks in the database are not likely to take. */
const LOCK = 7_061_402_197;

/**
 * Adds jobs that have no deduplication key. The same rows as BullMQ's `add_jobs_bulk`, without its temporary tables and
 * without rows in its stream of events, which nobody reads here. A job whose id is taken is left as it is. The options
 * have neither id nor priority in them: those lie beside them. Older processes call the function as they know it: a
 * change gets a new number.
 *
 * Numbered in the order given, but inserted in the order of ids: so two calls with the same ids never wait for each other.
 */
const NAME = 'peregrine_add_tasks_1';

const INSTALL = `
CREATE OR REPLACE FUNCTION ${NAME}(p_queue text, p_settings jsonb, p_jobs json) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET peregrine.counts TO 'off' AS $$
DECLARE
  v_waiting integer;
  v_delayed integer;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('bullmq:finalization'), hashtext(p_queue));
  WITH given AS MATERIALIZED (
    SELECT nextval('job_seq') AS seq, it.*, p_settings -> it.kind AS settings
      FROM json_to_recordset(p_jobs)
        AS it (id text, name text, data jsonb, kind integer, number integer, delay bigint, at bigint)
  ), added AS (
    INSERT INTO job (
      queue, id, seq, name, state, data, opts, priority, delay_ms, max_attempts, added_at_ms, process_at_ms
    )
    SELECT p_queue, id, seq, name, (CASE WHEN delay > 0 THEN 'delayed' ELSE 'waiting' END)::job_state, data,
           CASE WHEN delay > 0 THEN settings || jsonb_build_object('delay', delay) ELSE settings END,
           number, delay, coalesce((settings ->> 'attempts')::integer, 1), at, CASE WHEN delay > 0 THEN at + delay END
      FROM given ORDER BY id
    ON CONFLICT (queue, id) DO NOTHING
    RETURNING state
  )
  SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'delayed')
    INTO v_waiting, v_delayed FROM added;
  IF v_waiting + v_delayed > 0 THEN
    PERFORM peregrine_add_task_count(p_queue, v_waiting, v_delayed, 0, 0, 0);
    PERFORM pg_notify('bullmq_jobs', p_queue);
  END IF;
END $$`;

/** Whether `addPlainJobs` can add it. */
export function isPlain({ deduplication }: NewJob): boolean {
  return deduplication === undefined;
}

/**
 * One round trip.
 *
 * @param client any connection to the database of the queue
 * @param schema of BullMQ's tables
 * @throws the driver's error
 */
export async function addPlainJobs(
  client: { query(text: string, values: unknown[]): Promise<unknown> },
  schema: string,
  queue: string,
  jobs: readonly NewJob[],
): Promise<void> {
  const kinds = [...new Set(jobs.map((it) => settingsText(it.settings)))];
  const rows = jobs.map(({ id, name, data, settings, number, delayMs, submittedAtMs }) => ({
    id,
    name,
    data,
    kind: kinds.indexOf(settingsText(settings)),
    number,
    delay: delayMs,
    at: submittedAtMs,
  }));
  await client.query(`SELECT "${schema}".${NAME}($1, $2, $3)`, [
    queue,
    `[${kinds.join(',')}]`,
    JSON.stringify(rows),
  ]);
}

/** The search path of the client is the schema of BullMQ's tables. */
export function installSubmission(client: pg.Client): Promise<void> {
  return installFunction(client, NAME, INSTALL, LOCK);
}
