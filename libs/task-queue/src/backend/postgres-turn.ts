import { type JobJson } from 'bullmq';
import type pg from 'pg';
import { installFunction } from './postgres-install.js';

/** Any number that other users of advisory locks in the database are not likely to take. */
const LOCK = 7_061_402_195;

/**
 * Ends many running tasks as completed and claims as many as are asked for, in one transaction: the commit is what
 * costs. The same changes of a row as BullMQ's `move_to_completed` and `move_to_active`, without rows in its stream of
 * events, which nobody reads here.
 *
 * Never waits for a row: what another transaction holds is left out. So it cannot be part of a deadlock, though it
 * changes many rows; what is left out goes BullMQ's way, which waits for one row at a time. So does what has a
 * deduplication key or belongs to a flow. Older processes call the function as they know it: a change gets a new number.
 */
const NAME = 'peregrine_take_turn_3';

const INSTALL = `
CREATE OR REPLACE FUNCTION ${NAME}(
  p_queue text, p_now bigint, p_lock_ms bigint, p_worker text, p_keep_age_s bigint,
  p_ids text[], p_tokens text[], p_results jsonb[], p_fetches boolean[], p_claims text[]
) RETURNS json LANGUAGE plpgsql SET search_path FROM CURRENT SET peregrine.counts TO 'off' AS $$
DECLARE
  v_ended text[] := '{}';
  v_claims text[] := p_claims;
  v_claimed json := '[]';
  v_removed integer := 0;
  v_due integer := 0;
  v_paused boolean;
  v_limited boolean;
  v_next_delay bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('bullmq:finalization'), hashtext(p_queue));

  IF cardinality(p_ids) > 0 THEN
    WITH ending AS MATERIALIZED (
      SELECT job.id, given.token, given.result, given.fetches
        FROM unnest(p_ids, p_tokens, p_results, p_fetches) AS given (id, token, result, fetches)
        JOIN job ON job.queue = p_queue AND job.id = given.id
       WHERE job.state = 'active' AND job.lock_token = given.token
         AND job.dedup_id IS NULL AND job.parent_id IS NULL AND job.pending_deps = 0
         FOR UPDATE OF job SKIP LOCKED
    ), ended AS (
      UPDATE job
         SET state = 'completed', return_value = ending.result, finished_at_ms = p_now, lock_token = NULL,
             locked_until_ms = NULL, attempts_made = attempts_made + 1
        FROM ending WHERE job.queue = p_queue AND job.id = ending.id
      RETURNING job.id, ending.token, ending.fetches
    )
    SELECT coalesce(array_agg(id), '{}'), p_claims || coalesce(array_agg(token) FILTER (WHERE fetches), '{}')
      INTO v_ended, v_claims FROM ended;
    IF p_keep_age_s IS NOT NULL AND EXISTS (
      SELECT 1 FROM job
       WHERE queue = p_queue AND state = 'completed' AND finished_at_ms <= p_now - p_keep_age_s * 1000
    ) THEN
      DELETE FROM job WHERE queue = p_queue AND id IN (
        SELECT id FROM job
         WHERE queue = p_queue AND state = 'completed' AND finished_at_ms <= p_now - p_keep_age_s * 1000
           FOR UPDATE SKIP LOCKED);
      GET DIAGNOSTICS v_removed = ROW_COUNT;
    END IF;
  END IF;

  SELECT coalesce(bool_or(field = 'paused' AND value = '1'), false), coalesce(bool_or(field <> 'paused'), false)
    INTO v_paused, v_limited
    FROM meta WHERE queue = p_queue AND field IN ('paused', 'concurrency', 'max');

  IF cardinality(v_claims) > 0 AND NOT v_limited THEN
    IF EXISTS (SELECT 1 FROM job WHERE queue = p_queue AND state = 'delayed' AND process_at_ms <= p_now) THEN
      UPDATE job SET state = 'waiting', delay_ms = 0 WHERE queue = p_queue AND id IN (
        SELECT id FROM job WHERE queue = p_queue AND state = 'delayed' AND process_at_ms <= p_now
           FOR UPDATE SKIP LOCKED);
      GET DIAGNOSTICS v_due = ROW_COUNT;
    END IF;
    IF NOT v_paused THEN
      WITH next AS MATERIALIZED (
        SELECT id FROM job WHERE queue = p_queue AND state = 'waiting'
         ORDER BY priority, seq LIMIT cardinality(v_claims) FOR UPDATE SKIP LOCKED
      ), numbered AS (
        SELECT id, row_number() OVER () AS number FROM next
      ), claimed AS (
        UPDATE job
           SET state = 'active', lock_token = v_claims[numbered.number], locked_until_ms = p_now + p_lock_ms,
               processed_at_ms = p_now, processed_by = p_worker, attempts_started = attempts_started + 1
          FROM numbered WHERE job.queue = p_queue AND job.id = numbered.id
        RETURNING job.*
      )
      SELECT coalesce(json_agg(json_build_object('token', lock_token, 'job', json_build_object(
               'id', id, 'name', name, 'data', data::text, 'opts', opts, 'progress', coalesce(progress, '0'),
               'attemptsMade', attempts_made, 'attemptsStarted', attempts_started, 'processedOn', processed_at_ms,
               'timestamp', added_at_ms, 'delay', delay_ms, 'priority', priority, 'failedReason', failed_reason,
               'stacktrace', coalesce(stacktrace, '[]')::text, 'returnvalue', coalesce(return_value, 'null')::text,
               'repeatJobKey', scheduler_id, 'deduplicationId', dedup_id, 'deferredFailure', deferred_failure,
               'parentKey', parent_key, 'processedBy', processed_by, 'stalledCounter', stalled_count
             ))), '[]')
        INTO v_claimed FROM claimed;
    END IF;
    IF json_array_length(v_claimed) < cardinality(v_claims) THEN
      SELECT min(process_at_ms) INTO v_next_delay FROM job WHERE queue = p_queue AND state = 'delayed';
    END IF;
  END IF;

  IF v_due + v_removed + cardinality(v_ended) + json_array_length(v_claimed) > 0 THEN
    PERFORM peregrine_add_task_count(p_queue, v_due - json_array_length(v_claimed), -v_due,
      json_array_length(v_claimed) - cardinality(v_ended), cardinality(v_ended) - v_removed, 0);
  END IF;
  RETURN json_build_object(
    'ended', to_json(v_ended), 'claimed', v_claimed, 'isLimited', v_limited, 'nextDelay', v_next_delay);
END $$`;

const CALL = `SELECT ${NAME}($1, $2, $3, $4, $5, $6, $7, $8::text[]::jsonb[], $9, $10) AS answer`;

/** A running task that has done its work. */
export interface Ending {
  readonly jobId: string;
  /** Of the claim. */
  readonly token: string;
  /** JSON text. */
  readonly result: string;
  /** Whether the claim's place is to be taken by another task. */
  readonly fetches: boolean;
}

export interface PostgresTurn {
  readonly queue: string;
  readonly lockMs: number;
  readonly worker: string | null;
  /** Completed tasks that are older than this go. */
  readonly keepAgeS: number | null;
  readonly endings: readonly Ending[];
  /** Tokens of further claims. */
  readonly claims: readonly string[];
}

export interface TurnAnswer {
  /** Ids of what is completed now. */
  readonly ended: readonly string[];
  readonly claimed: readonly { readonly token: string; readonly job: JobJson }[];
  /** BullMQ's own limits are set for the queue, so nothing was claimed. */
  readonly isLimited: boolean;
  /** When the next delayed task is due, where not all claims were served; epoch milliseconds. */
  readonly nextDelay: number | null;
}

type Queries = {
  query<R>(text: string, values?: readonly unknown[]): Promise<{ rows: R[] }>;
};

/** @throws the driver's error; then nothing has happened, or, when the connection broke, maybe everything */
export async function takeTurn(pool: Queries, now: number, turn: PostgresTurn): Promise<TurnAnswer> {
  const { endings } = turn;
  const { rows } = await pool.query<{ answer: TurnAnswer }>(CALL, [
    turn.queue,
    now,
    turn.lockMs,
    turn.worker,
    turn.keepAgeS,
    endings.map((it) => it.jobId),
    endings.map((it) => it.token),
    endings.map((it) => it.result),
    endings.map((it) => it.fetches),
    turn.claims,
  ]);
  const answer = rows[0]?.answer;
  if (!answer) throw new Error('PostgreSQL gave no answer');
  return answer;
}

/** The search path of the client is the schema of BullMQ's tables. */
export function installTurns(client: pg.Client): Promise<void> {
  return installFunction(client, NAME, INSTALL, LOCK);
}
