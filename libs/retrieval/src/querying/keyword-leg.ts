import { type CodeSpace } from '../codes/code-source.js';
import { type ChunkFilter, filterCondition } from '../search/chunk-filter.js';
import { type Statements } from '../statements.js';

/** BM25 with the usual parameters (Robertson and Zaragoza 2009, doi.org/10.1561/1500000019). */
const K1 = 1.2;
const B = 0.75;

export interface KeywordRequest {
  readonly text: string;
  readonly filter: ChunkFilter;
  /** Only these chunks; all when undefined. */
  readonly only: readonly string[] | undefined;
  /** How many chunks with a word of the text are ranked. */
  readonly reach: number;
  readonly limit: number;
}

export interface KeywordAnswer {
  /** BM25 by chunk, best first. */
  readonly scores: ReadonlyMap<string, number>;
  /** True when more chunks than `reach` have a word of the text: only some of them were ranked. */
  readonly truncated: boolean;
}

/** The best by words, in one statement. How rare a word is counts among the chunks that pass the filter. */
export async function keywordLeg(
  statements: Statements,
  { workspaceId, embedder }: CodeSpace,
  { text, filter, only, reach, limit }: KeywordRequest,
): Promise<KeywordAnswer> {
  const condition = filterCondition(filter, 7);
  const rows = await statements.query<{ id: string; score: number; matches: number }[]>(
    `WITH terms AS MATERIALIZED (
       SELECT lexeme FROM unnest(to_tsvector('english', $3))
     ), wanted AS MATERIALIZED (
       SELECT string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery AS query FROM terms
     ), passing AS MATERIALIZED (
       SELECT count(*)::float8 AS chunks FROM retrieval_codes c WHERE c.workspace_id = $1 AND c.embedder = $2
          AND ($5::uuid[] IS NULL OR c.chunk_id = ANY ($5::uuid[]))${condition.sql}
     ), found AS MATERIALIZED (
       SELECT k.id, k.search, k.word_count::float8 AS words FROM retrieval_chunks k
         JOIN retrieval_codes c ON c.chunk_id = k.id AND c.workspace_id = $1 AND c.embedder = $2
        WHERE k.workspace_id = $1 AND k.search @@ (SELECT query FROM wanted)
          AND ($5::uuid[] IS NULL OR k.id = ANY ($5::uuid[]))${condition.sql} LIMIT $4
     ), occurrences AS MATERIALIZED (
       SELECT f.id, f.words, u.lexeme, cardinality(u.positions)::float8 AS times
         FROM found f CROSS JOIN LATERAL unnest(f.search) u JOIN terms t ON t.lexeme = u.lexeme
     ), weights AS MATERIALIZED (
       SELECT o.lexeme, ln(1 + (greatest(p.chunks - count(*), 0) + 0.5::float8) / (count(*) + 0.5::float8)) AS weight
         FROM occurrences o CROSS JOIN passing p GROUP BY o.lexeme, p.chunks
     ), average AS MATERIALIZED (
       SELECT greatest(avg(words), 1) AS words, count(*)::integer AS matches FROM found
     )
     SELECT o.id, a.matches, sum(w.weight * o.times * ${K1 + 1}::float8
              / (o.times + ${K1}::float8 * (${1 - B}::float8 + ${B}::float8 * o.words / a.words))) AS score
       FROM occurrences o JOIN weights w ON w.lexeme = o.lexeme CROSS JOIN average a
      GROUP BY o.id, a.matches ORDER BY score DESC, o.id LIMIT $6`,
    [workspaceId, embedder, text, reach + 1, only ?? null, limit, ...condition.parameters],
  );
  return {
    scores: new Map(rows.map((it) => [it.id, it.score])),
    truncated: (rows[0]?.matches ?? 0) > reach,
  };
}
