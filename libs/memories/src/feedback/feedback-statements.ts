import { promotedTier } from './tier-rules.js';

/** The latest uses that a memory keeps; older ones are summed up by their number (see `baseLevel`). */
export const RECENT_USES = 8;
/** Two uses within this time are one: what is popular must not become more so by being shown. */
const USE_INTERVAL = `interval '1 hour'`;

/**
 * Access, use, tier and the workspace's number of answers. Rows are locked in the order of their ids, so that two
 * processes never wait for each other in a circle.
 */
export const RECORD_USE = `
WITH input AS (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::bool[], $4::timestamptz[]) AS t (memory_id, accesses, is_use, at)
), due AS MATERIALIZED (
  SELECT s.memory_id, s.tier, i.accesses, i.at, s.uses, s.first_used_at,
         i.is_use AND i.at >= s.last_used_at + ${USE_INTERVAL} AS counts
    FROM memory_states s JOIN input i ON i.memory_id = s.memory_id
   ORDER BY s.memory_id FOR UPDATE OF s
), used AS (
  UPDATE memory_states s SET
    accesses = s.accesses + due.accesses,
    accessed_at = greatest(s.accessed_at, due.at),
    uses = s.uses + due.counts::int,
    last_used_at = CASE WHEN due.counts THEN due.at ELSE s.last_used_at END,
    recent_uses = CASE WHEN due.counts THEN (due.at || s.recent_uses)[1:${RECENT_USES}] ELSE s.recent_uses END,
    tier = CASE WHEN due.counts THEN ${promotedTier('s.tier', '(s.uses + 1)', 's.first_used_at', 'due.at')} ELSE s.tier END
  FROM due WHERE s.memory_id = due.memory_id
  RETURNING s.workspace_id, s.tier <> due.tier AS moved
), totals AS (
  INSERT INTO memory_totals AS t (workspace_id, answers)
  SELECT a.workspace_id, a.answers
    FROM unnest($5::uuid[], $6::int[]) AS a (workspace_id, answers) JOIN workspaces w ON w.id = a.workspace_id
   ORDER BY a.workspace_id
  ON CONFLICT (workspace_id) DO UPDATE SET answers = t.answers + excluded.answers
)
SELECT DISTINCT workspace_id AS "workspaceId" FROM used WHERE moved`;

/** One row a pair, of memories that are still there. */
export const RECORD_ASSOCIATIONS = `
INSERT INTO memory_associations AS a (first_id, second_id, workspace_id, times, last_at)
SELECT p.first_id, p.second_id, p.workspace_id, p.times, p.at
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[])
         AS p (first_id, second_id, workspace_id, times, at)
 WHERE EXISTS (SELECT FROM memory_words w WHERE w.memory_id = p.first_id)
   AND EXISTS (SELECT FROM memory_words w WHERE w.memory_id = p.second_id)
 ORDER BY p.first_id, p.second_id
ON CONFLICT (first_id, second_id) DO UPDATE SET times = a.times + excluded.times, last_at = excluded.last_at`;
