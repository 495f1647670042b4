import { Injectable } from '@nestjs/common';
import { distanceDeviation, expectedDistance } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';

export interface MemoryAudit {
  /** What queries can find: summaries, and originals that none stands for. */
  memories: number;
  summaries: number;
  /** Originals that a summary stands for. */
  summarised: number;
  /** Memories without an embedding yet: found by their words alone. */
  waitingForEmbedding: number;
  /** Of those that were never in an answer, 0 to 1. */
  neverReadShare: number;
  /** Of the newest `sampled` ones: those with the same words in the same order as another of them. */
  duplicates: { sampled: number; found: number };
  /** Of the newest `sampled` ones: those with a cosine of about 0.95 or more to another of the newest `comparedWith`. */
  nearDuplicates: { sampled: number; comparedWith: number; found: number };
  /** Originals added on each of the last days (UTC) that had any, the latest first. */
  growth: { day: string; added: number }[];
}

const GROWTH_DAYS = 30;
const NEAR_COSINE = 0.95;
const NEAR_BITS = Math.ceil(expectedDistance(NEAR_COSINE) + distanceDeviation(expectedDistance(NEAR_COSINE)));
/** Bounds of the samples: every pair of the last two is compared. */
const NEWEST_BY_WORDS = 5_000;
const NEWEST_BY_CODE = 300;
const COMPARED_BY_CODE = 3_000;

/** One statement whose cost is bounded but for counts over indexes. */
const AUDIT = `
WITH newest AS MATERIALIZED (
  SELECT m.id, row_number() OVER (ORDER BY m.created_at DESC, m.id DESC) AS place FROM memories m
   WHERE m.workspace_id = $1 ORDER BY m.created_at DESC, m.id DESC LIMIT ${NEWEST_BY_WORDS}
), worded AS (
  SELECT md5(w.search::text) AS words FROM newest n JOIN memory_words w ON w.memory_id = n.id
), same AS (
  SELECT count(*) - count(DISTINCT words) AS found, count(*) AS sampled FROM worded
), coded AS MATERIALIZED (
  SELECT n.id, n.place, c.embedder, c.code FROM newest n JOIN memory_codes c ON c.memory_id = n.id
   WHERE n.place <= ${COMPARED_BY_CODE}
), near AS (
  SELECT count(*) AS sampled, count(*) FILTER (WHERE EXISTS (
           SELECT FROM coded o WHERE o.id <> c.id AND o.embedder = c.embedder AND bit_count(o.code # c.code) <= ${NEAR_BITS}
         )) AS found
    FROM coded c WHERE c.place <= ${NEWEST_BY_CODE}
), growth AS (
  SELECT (m.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS added FROM memories m
   WHERE m.workspace_id = $1 AND m.created_at >= now() - interval '${GROWTH_DAYS} days' AND m.kind = 'original'
   GROUP BY 1 ORDER BY 1 DESC
), states AS (
  SELECT count(*) AS memories, count(*) FILTER (WHERE s.accesses = 0) AS unread
    FROM memory_states s WHERE s.workspace_id = $1
), kinds AS (
  SELECT count(DISTINCT m.id) AS summaries, count(o.id) AS summarised
    FROM memories m LEFT JOIN memories o ON o.summarised_by = m.id
   WHERE m.workspace_id = $1 AND m.kind = 'summary'
)
SELECT states.memories::int AS all, states.unread::int, kinds.summaries::int, kinds.summarised::int,
       (SELECT count(*)::int FROM memory_pending_embeddings p WHERE p.workspace_id = $1) AS waiting,
       same.sampled::int AS "sameSampled", same.found::int AS "sameFound",
       near.sampled::int AS "nearSampled", near.found::int AS "nearFound", (SELECT count(*)::int FROM coded) AS compared,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('day', day, 'added', added)), '[]') FROM growth) AS growth
  FROM states, kinds, same, near`;

interface AuditRow {
  all: number;
  unread: number;
  summaries: number;
  summarised: number;
  waiting: number;
  sameSampled: number;
  sameFound: number;
  nearSampled: number;
  nearFound: number;
  compared: number;
  growth: { day: string; added: number }[];
}

/** Says whether a workspace fills with what nobody needs, before that is all there is. */
@Injectable()
export class AuditService {
  constructor(private readonly transactions: Transactions) {}

  async audit(workspaceId: string): Promise<MemoryAudit> {
    const [row] = await this.transactions.manager.query<[AuditRow]>(AUDIT, [workspaceId]);
    return {
      memories: row.all - row.summarised,
      summaries: row.summaries,
      summarised: row.summarised,
      waitingForEmbedding: row.waiting,
      neverReadShare: row.all === 0 ? 0 : row.unread / row.all,
      duplicates: { sampled: row.sameSampled, found: row.sameFound },
      nearDuplicates: { sampled: row.nearSampled, comparedWith: row.compared, found: row.nearFound },
      growth: row.growth,
    };
  }
}
