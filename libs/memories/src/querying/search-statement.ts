import { type CandidateClause } from '../vectors/vector-index.js';

/** BM25 with the usual parameters. */
const K1 = 1.2;
const B = 0.75;
/** Two words that stand together as in the query add this share of their weight (Metzler and Croft 2005, ordered pairs). */
const PAIR_WEIGHT = 0.3;
/** How many of the best by words, and of the nearest, associations are followed from, and how far. */
const SEEDS = 5;
const LINKS_PER_SEED = 200;
const LINKED_HITS = 50;
/** Where even the rarest word of a query matches more, these many are ranked: its weight is next to nothing then. */
const MAX_MATCHES = 20_000;

/** A query of more words is ranked by its rarest ones. */
const MAX_TERMS = 40;

/** No vector is known: nothing is near. */
const NOTHING_NEAR: CandidateClause = {
  sql: 'near AS (SELECT NULL::uuid AS memory_id, NULL::float8 AS distance WHERE false)',
  parameters: [],
};

/** `$1` to `$5`; those of the clause `near` follow. */
export interface SearchParameters {
  readonly workspaceId: string;
  readonly query: string;
  readonly keywordReach: number;
  readonly keywordHits: number;
  /** Null when no vector is known. */
  readonly embedder: string | null;
}

/** The number of the first `$n` of the clause `near`. */
export const FIRST_VECTOR_PARAMETER = 6;

/**
 * The one statement of a query: candidates by words, by vector and by association, with all that ranks them.
 *
 * Words: the rarest ones of the query select, as many as match `keywordReach` memories together, and all of them rank, by
 * BM25 (Robertson and Zaragoza 2009, doi.org/10.1561/1500000019). How often a word occurs in a memory follows from `ts_rank`, which is many
 * times cheaper than `unnest`: for one word of weight 1 it is the sum of 1/j² for j up to that number, over pi²/6, and
 * what is missing to 1 is nearly 1 / (number + 1/2). `search-statement.int-spec.ts` proves it for every number that a tsvector can hold.
 */
export function searchStatement(
  parameters: SearchParameters,
  near: CandidateClause = NOTHING_NEAR,
): { sql: string; parameters: unknown[] } {
  const { workspaceId, query, keywordReach, keywordHits, embedder } = parameters;
  return {
    sql: `WITH ${KEYWORDS}, ${near.sql}, ${LINKS}, ${FOUND} ${RESULT}`,
    parameters: [workspaceId, query, keywordReach, keywordHits, embedder, ...near.parameters],
  };
}

/** The number of times that the word of a one-word `query` occurs in `search`. */
export const TERM_FREQUENCY = (search: string, query: string) =>
  `round(1 / (1.6449340668482264 * (1 - ts_rank('{1,1,1,1}', ${search}, ${query})::float8)) - 0.5)`;

const KEYWORDS = `
totals AS MATERIALIZED (
  SELECT coalesce(max(t.memories), 0)::float8 AS memories, coalesce(max(t.words), 0)::float8 AS words,
         coalesce(max(t.answers), 0)::float8 AS answers
    FROM memory_totals t WHERE t.workspace_id = $1
), terms AS MATERIALIZED (
  SELECT q.lexeme, coalesce(t.memories, 0) AS memories,
         ('''' || replace(replace(q.lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(to_tsvector('english', $2)) q
    LEFT JOIN memory_term_totals t ON t.workspace_id = $1 AND t.lexeme = q.lexeme
   ORDER BY memories, q.lexeme LIMIT ${MAX_TERMS}
), selecting AS MATERIALIZED (
  SELECT string_agg(query::text, ' | ')::tsquery AS query FROM (
    SELECT query, row_number() OVER rarest AS place, sum(memories) OVER rarest AS reach
      FROM terms WINDOW rarest AS (ORDER BY memories, lexeme)
  ) ranked WHERE place = 1 OR reach <= $3
), occurrences AS MATERIALIZED (
  SELECT m.memory_id, m.words, t.lexeme, t.memories, ${TERM_FREQUENCY('m.search', 't.query')} AS times
    FROM (
      SELECT w.memory_id, w.search, w.word_count::float8 AS words
        FROM memory_words w WHERE w.workspace_id = $1 AND w.search @@ (SELECT query FROM selecting)
       LIMIT ${MAX_MATCHES}
    ) m JOIN terms t ON m.search @@ t.query
), matches AS (
  SELECT count(*) AS memories, avg(words) AS words FROM (
    SELECT min(words) AS words FROM occurrences GROUP BY memory_id
  ) each
), averages AS MATERIALIZED (
  SELECT greatest(t.memories, m.memories, 1)::float8 AS memories,
         greatest(CASE WHEN t.memories > 0 THEN t.words / t.memories ELSE m.words END, 1)::float8 AS words
    FROM totals t CROSS JOIN matches m
), weights AS MATERIALIZED (
  SELECT w.lexeme,
         ln(1 + (greatest(a.memories - w.memories, 0) + 0.5::float8) / (w.memories + 0.5::float8)) AS weight
    FROM (SELECT lexeme, greatest(max(memories), count(*))::float8 AS memories FROM occurrences GROUP BY lexeme) w
   CROSS JOIN averages a
), best AS MATERIALIZED (
  SELECT o.memory_id, sum(w.weight * o.times * ${K1 + 1}::float8
           / (o.times + ${K1}::float8 * (${1 - B}::float8 + ${B}::float8 * o.words / a.words))) AS score
    FROM occurrences o JOIN weights w ON w.lexeme = o.lexeme CROSS JOIN averages a
   GROUP BY o.memory_id ORDER BY score DESC, o.memory_id LIMIT 2 * $4
), asked AS (
  SELECT q.lexeme, position FROM unnest(to_tsvector('english', $2)) q, unnest(q.positions) AS position
), pairs AS MATERIALIZED (
  SELECT ${PAIR_WEIGHT}::float8 * (w.weight + v.weight) / 2 AS weight,
         (t.query::text || ' <' || b.position - a.position || '> ' || u.query::text)::tsquery AS query
    FROM asked a JOIN asked b ON b.position - a.position BETWEEN 1 AND 2
    JOIN weights w ON w.lexeme = a.lexeme JOIN weights v ON v.lexeme = b.lexeme
    JOIN terms t ON t.lexeme = a.lexeme JOIN terms u ON u.lexeme = b.lexeme
), keywords AS MATERIALIZED (
  SELECT b.memory_id, b.score + coalesce((
           SELECT sum(p.weight) FROM memory_words m JOIN pairs p ON m.search @@ p.query WHERE m.memory_id = b.memory_id
         ), 0) AS score
    FROM best b ORDER BY 2 DESC, b.memory_id LIMIT $4
)`;

const LINKS = `
seeds AS (
  (SELECT memory_id FROM keywords ORDER BY score DESC, memory_id LIMIT ${SEEDS})
  UNION
  (SELECT memory_id FROM near ORDER BY distance, memory_id LIMIT ${SEEDS})
), links AS MATERIALIZED (
  SELECT s.memory_id AS source, l.other, l.times, count(*) OVER (PARTITION BY s.memory_id) AS fan
    FROM seeds s CROSS JOIN LATERAL (
      SELECT * FROM (
        SELECT a.second_id AS other, a.times FROM memory_associations a WHERE a.first_id = s.memory_id
        UNION ALL
        SELECT a.first_id, a.times FROM memory_associations a WHERE a.second_id = s.memory_id
      ) both_ways ORDER BY times DESC, other LIMIT ${LINKS_PER_SEED}
    ) l
)`;

const FOUND = `
found AS (
  SELECT memory_id FROM keywords
  UNION SELECT memory_id FROM near
  UNION (SELECT other FROM links GROUP BY other ORDER BY max(times) DESC, other LIMIT ${LINKED_HITS})
)`;

const RESULT = `
SELECT f.memory_id AS id, m.kind, m.created_at AS "createdAt", s.tier, s.uses, s.first_used_at AS "firstUsedAt",
       s.last_used_at AS "lastUsedAt", s.recent_uses AS "recentUses", s.accesses, k.score AS "keywordScore",
       v.embedding, t.answers,
       (SELECT jsonb_agg(jsonb_build_object('source', l.source, 'times', l.times, 'fan', l.fan, 'accesses', o.accesses)
                         ORDER BY l.source)
          FROM links l JOIN memory_states o ON o.memory_id = l.source WHERE l.other = f.memory_id) AS links
  FROM found f
  JOIN memories m ON m.id = f.memory_id AND m.workspace_id = $1 AND m.summarised_by IS NULL
  JOIN memory_states s ON s.memory_id = f.memory_id
  CROSS JOIN totals t
  LEFT JOIN keywords k ON k.memory_id = f.memory_id
  LEFT JOIN memory_vectors v ON v.memory_id = f.memory_id AND v.embedder = $5`;
