import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { HashingModel } from '@peregrine/ai';
import { bitsOf, signCode } from '@peregrine/ai/vectors';
import { type DataSource } from 'typeorm';

import { seededRandom } from '../harness/random.ts';

const FOLDER = new URL('../../data/memory-eval/', import.meta.url);
const WORDS_OF_A_PIECE = 25;
const PIECES = 4;
/** Each vector stands for several texts that differ in little. */
const DISTINCT_VECTORS = 10_000;
const ROWS_AT_ONCE = 2_000;

/** Questions that people have of the manuals, which the memories are made of. */
export function questions(): string[] {
  return readLines<{ text: string }>('queries.jsonl.gz').map((it) => it.text);
}

/** Texts of a hundred words, pieces of manuals put together anew. */
export function makeTexts(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const documents = readLines<{ text: string }>('docs.jsonl.gz').map((it) => it.text.split(/\s+/));
  const piece = () => {
    const words = documents[Math.floor(random() * documents.length)] ?? [];
    const start = Math.floor(random() * Math.max(1, words.length - WORDS_OF_A_PIECE));
    return words.slice(start, start + WORDS_OF_A_PIECE);
  };
  return Array.from(
    { length: count },
    (_, n) => `${Array.from({ length: PIECES }, piece).flat().join(' ')} (${seed}-${n})`,
  );
}

/** Fills a workspace with memories as the library would in days; by SQL, in minutes. */
export async function loadMemories(
  source: DataSource,
  workspaceId: string,
  texts: readonly string[],
): Promise<void> {
  const model = new HashingModel();
  const { vectors } = await model.embed(texts.slice(0, DISTINCT_VECTORS));
  const codes = vectors.map((it) => bitsOf(signCode(it)));
  const bytes = vectors.map((it) => Buffer.from(it.buffer, it.byteOffset, it.byteLength));
  for (let at = 0; at < texts.length; at += ROWS_AT_ONCE) {
    const part = texts.slice(at, at + ROWS_AT_ONCE);
    const places = part.map((_, n) => (at + n) % vectors.length);
    await source.query(LOAD, [
      ...[workspaceId, part, places.map((it) => bytes[it]), places.map((it) => codes[it]), model.id],
    ]);
  }
  for (const it of TOTALS) await source.query(it, [workspaceId]);
  await source.query('VACUUM ANALYZE');
}

const LOAD = `
WITH input AS MATERIALIZED (
  SELECT gen_random_uuid() AS id, t.*, s.search,
         (SELECT sum(cardinality(positions)) FROM unnest(s.search))::int AS word_count
    FROM unnest($2::text[], $3::bytea[], $4::text[]) AS t (content, embedding, code), to_tsvector('english', t.content) AS s (search)
), memories AS (
  INSERT INTO memories (id, workspace_id, kind, content, content_hash)
  SELECT id, $1::uuid, 'original', content, sha256(convert_to(content, 'UTF8')) FROM input
), words AS (
  INSERT INTO memory_words SELECT id, $1, search, word_count FROM input
), vectors AS (
  INSERT INTO memory_vectors SELECT id, $1, $5, 384, embedding FROM input
), codes AS (
  INSERT INTO memory_codes (memory_id, workspace_id, embedder, code) SELECT id, $1, $5, code::bit(384) FROM input
)
INSERT INTO memory_states (memory_id, workspace_id, tier, uses, first_used_at, last_used_at, recent_uses)
SELECT id, $1, (ARRAY['active', 'active', 'active', 'thread', 'stable'])[1 + floor(random() * 5)::int], 1, t, t, ARRAY[t]
  FROM input, LATERAL (SELECT now() - random() * interval '90 days' + length(content) * interval '1 second' AS t) s`;

const TOTALS = [
  `INSERT INTO memory_term_totals
   SELECT $1::uuid, t.lexeme, count(*) FROM memory_words w, unnest(w.search) t WHERE w.workspace_id = $1 GROUP BY t.lexeme`,
  `INSERT INTO memory_totals (workspace_id, memories, words)
   SELECT $1::uuid, count(*), sum(word_count) FROM memory_words WHERE workspace_id = $1`,
];

function readLines<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(new URL(name, FOLDER))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
