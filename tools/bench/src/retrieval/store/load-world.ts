import { randomUUID } from 'node:crypto';
import type { ChunkFilter } from '@peregrine/retrieval';
import type { Pool } from 'pg';

import type { Filter } from '../world/questions.ts';
import { CODE_BYTES, dateOf, DIMENSIONS, TYPES } from '../world/shape.ts';
import type { World } from '../world/world.ts';

/** Where a world was put. */
export interface LoadedWorld {
  readonly workspaceId: string;
  readonly embedder: string;
  /** The place of a chunk by its id. */
  readonly places: ReadonlyMap<string, number>;
  readonly documentIds: readonly string[];
}

/** Bytes of an embedding as it is stored. */
const VECTOR_BYTES = DIMENSIONS * 4;
const CHUNKS_AT_ONCE = 2_000;
const LINKS_AT_ONCE = 50_000;

/** Places of chunks, without the last one. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Puts a world into a workspace of its own, as the library would in an hour: by statements over whole columns, without checks of foreign
 * keys, and with the indexes built afterwards.
 */
export async function loadWorld(pool: Pool, world: World, embedder: string): Promise<LoadedWorld> {
  const loaded = await addWorkspace(pool, world, embedder);
  await extendWorld(pool, world, loaded, 0);
  return loaded;
}

/** Adds the chunks from a place on, those before which are there already. */
export async function extendWorld(
  pool: Pool,
  world: World,
  loaded: LoadedWorld,
  from: number,
): Promise<void> {
  await withoutIndexes(pool, loaded, async () => {
    for (const range of ranges(from, world.ids.length)) {
      await addChunks(pool, world, loaded, range);
      await addVectors(pool, world, loaded, range);
    }
    await addLinks(pool, world, loaded, from);
  });
}

/** Puts the vectors of another embedder in the place of those that are there. */
export async function replaceVectors(pool: Pool, world: World, loaded: LoadedWorld): Promise<void> {
  await withoutIndexes(pool, loaded, async () => {
    await pool.query('TRUNCATE retrieval_vectors, retrieval_codes');
    for (const range of ranges(0, world.ids.length)) await addVectors(pool, world, loaded, range);
  });
}

async function withoutIndexes(
  pool: Pool,
  { workspaceId }: LoadedWorld,
  work: () => Promise<void>,
): Promise<void> {
  const indexes = await dropIndexes(pool);
  await work();
  for (const it of [...indexes, ...TOTALS]) await pool.query(it, it.includes('$1') ? [workspaceId] : []);
  await pool.query('VACUUM ANALYZE');
}

function ranges(from: number, to: number): Range[] {
  return Array.from({ length: Math.ceil((to - from) / CHUNKS_AT_ONCE) }, (_, n) => ({
    from: from + n * CHUNKS_AT_ONCE,
    to: Math.min(to, from + (n + 1) * CHUNKS_AT_ONCE),
  }));
}

/** What the library calls a filter. */
export function filterOf(
  { type, documents, fromDay, beforeDay }: Filter,
  { documentIds }: LoadedWorld,
): ChunkFilter {
  return {
    ...(type !== undefined && { types: [TYPES[type]?.[0] ?? ''] }),
    ...(documents && { documentIds: [...new Set(documents)].map((it) => documentIds[it] ?? '') }),
    ...(fromDay !== undefined && { createdFrom: dateOf(fromDay) }),
    ...(beforeDay !== undefined && { createdBefore: dateOf(beforeDay) }),
  };
}

async function addWorkspace(pool: Pool, world: World, embedder: string): Promise<LoadedWorld> {
  const workspaceId = randomUUID();
  const documentIds = Array.from({ length: world.chunks.documents }, () => randomUUID());
  await pool.query(`INSERT INTO workspaces (id, name) VALUES ($1::uuid, $1::text)`, [workspaceId]);
  await pool.query(
    `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
     SELECT id, $1, id::text, id::text, 'text/markdown', 1, '', 'extracted' FROM unnest($2::uuid[]) AS t (id)`,
    [workspaceId, documentIds],
  );
  const places = new Map(world.ids.map((id, place) => [id, place]));
  return { workspaceId, embedder, documentIds, places };
}

/** Every index that no constraint needs. @returns what makes them again */
async function dropIndexes(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
      WHERE indrelid::regclass::text ~ '^retrieval_' AND NOT indisprimary
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)`,
  );
  for (const { name } of rows) await pool.query(`DROP INDEX ${name}`);
  return rows.map((it) => it.definition);
}

async function addChunks(
  pool: Pool,
  { ids, chunks }: World,
  { workspaceId, documentIds }: LoadedWorld,
  { from, to }: Range,
): Promise<void> {
  const places = Array.from({ length: to - from }, (_, n) => from + n);
  await pool.query(
    `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
     SELECT id, $1, document_id, $6 + n - 1, type, 'passage ' || ($6 + n), to_tsvector('simple', 'passage'), 1, created_at
       FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
         WITH ORDINALITY AS t (id, document_id, type, created_at, n)`,
    [
      ...[workspaceId, ids.slice(from, to)],
      places.map((it) => documentIds[chunks.document[it] ?? 0]),
      places.map((it) => TYPES[chunks.type[it] ?? 0]?.[0]),
      ...[places.map((it) => dateOf(chunks.day[it] ?? 0)), from],
    ],
  );
}

/** The columns as bytes: pg sends them as they are, and each row cuts its own part out. */
async function addVectors(
  pool: Pool,
  { ids, chunks }: World,
  { workspaceId, embedder }: LoadedWorld,
  { from, to }: Range,
): Promise<void> {
  const vectors = Buffer.from(chunks.vectors.buffer, from * VECTOR_BYTES, (to - from) * VECTOR_BYTES);
  const codes = Buffer.from(chunks.codes.buffer, from * CODE_BYTES, (to - from) * CODE_BYTES);
  await pool.query(ADD_VECTORS, [workspaceId, embedder, ids.slice(from, to), vectors, codes]);
}

const ADD_VECTORS = `
WITH input AS MATERIALIZED (
  SELECT id, n::int - 1 AS n FROM unnest($3::uuid[]) WITH ORDINALITY AS t (id, n)
), vectors AS (
  INSERT INTO retrieval_vectors (chunk_id, workspace_id, embedder, dimensions, embedding)
  SELECT id, $1, $2, ${DIMENSIONS}, substring($4::bytea FROM n * ${VECTOR_BYTES} + 1 FOR ${VECTOR_BYTES}) FROM input
)
INSERT INTO retrieval_codes (chunk_id, workspace_id, embedder, document_id, type, created_at, code)
SELECT k.id, $1, $2, k.document_id, k.type, k.created_at,
       ('x' || encode(substring($5::bytea FROM n * ${CODE_BYTES} + 1 FOR ${CODE_BYTES}), 'hex'))::bit(384)
  FROM input JOIN retrieval_chunks k ON k.id = input.id`;

/** Those of which one end is new, from both sides. */
async function addLinks(
  pool: Pool,
  { ids, graph }: World,
  { workspaceId }: LoadedWorld,
  from: number,
): Promise<void> {
  const links: { source: number; target: number; weight: number }[] = [];
  for (let source = 0; source < ids.length; source++) {
    for (let at = graph.starts[source] ?? 0; at < (graph.starts[source + 1] ?? 0); at++) {
      const target = graph.targets[at] ?? 0;
      if (Math.max(source, target) >= from) links.push({ source, target, weight: graph.weights[at] ?? 0 });
    }
  }
  for (let at = 0; at < links.length; at += LINKS_AT_ONCE) {
    const part = links.slice(at, at + LINKS_AT_ONCE);
    await pool.query(
      `INSERT INTO retrieval_edges (source_id, target_id, type, workspace_id, weight)
       SELECT source, target, 'link', $1, weight FROM unnest($2::uuid[], $3::uuid[], $4::real[]) AS t (source, target, weight)`,
      [
        workspaceId,
        part.map((it) => ids[it.source]),
        part.map((it) => ids[it.target]),
        part.map((it) => it.weight),
      ],
    );
  }
}

/** As the library counts, by a join instead of one chunk after the other. */
const TOTALS = [
  `INSERT INTO retrieval_degrees (chunk_id, degree, two_hop_size)
   SELECT source_id, count(*), 0 FROM retrieval_edges WHERE workspace_id = $1 GROUP BY 1
   ON CONFLICT (chunk_id) DO UPDATE SET degree = excluded.degree`,
  `UPDATE retrieval_degrees d SET two_hop_size = d.degree * (1 + s.further)
     FROM (SELECT e.source_id AS id, avg(n.degree - 1) AS further
             FROM (SELECT source_id, target_id, row_number() OVER (PARTITION BY source_id ORDER BY target_id) AS place
                     FROM retrieval_edges WHERE workspace_id = $1) e
             JOIN retrieval_degrees n ON n.chunk_id = e.target_id WHERE e.place <= 32 GROUP BY 1) s
    WHERE d.chunk_id = s.id`,
  `INSERT INTO retrieval_versions AS v (workspace_id, version) VALUES ($1, 1)
   ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1`,
];
