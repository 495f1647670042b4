import { CODE_BITS } from '@peregrine/ai/vectors';
import { type EntityManager } from 'typeorm';
import { countDegrees } from '../graph/count-degrees.js';
import { type MatchedChunks, type StoredChunk, type WantedChunk } from './match-chunks.js';
import { type TextVector } from './text-vectorizer.service.js';

/** Ends of the edges of deleted chunks whose edges are counted anew, at most: of a hub's, some keep an estimate that is one too high. */
const COUNTED_ENDS = 2_000;

/** Whose rows they are. */
export interface RowOwner {
  readonly workspaceId: string;
  /** The embedder's id. */
  readonly embedder: string;
}

export function storedChunks(
  manager: EntityManager,
  { workspaceId, embedder }: RowOwner,
  documentIds: readonly string[],
): Promise<StoredChunk[]> {
  return manager.query<StoredChunk[]>(
    `SELECT k.id, k.document_id AS "documentId", k.place, k.text,
            EXISTS (SELECT FROM retrieval_vectors v WHERE v.chunk_id = k.id AND v.embedder = $2) AS "isEmbedded"
       FROM retrieval_chunks k WHERE k.workspace_id = $1 AND k.document_id = ANY ($3::uuid[])
      ORDER BY k.document_id, k.place`,
    [workspaceId, embedder, documentIds],
  );
}

/** What is gone first: places are unique. */
export async function writeChunks(
  manager: EntityManager,
  { workspaceId }: RowOwner,
  { wanted, gone }: MatchedChunks,
): Promise<{ changed: boolean }> {
  if (gone.length > 0) await deleteChunks(manager, gone);
  const moved = await moveChunks(
    manager,
    wanted.filter((it) => !it.isNew),
  );
  const added = wanted.filter((it) => it.isNew);
  if (added.length > 0) await insertChunks(manager, workspaceId, added);
  return { changed: gone.length + moved + added.length > 0 };
}

/** What they were linked to has fewer edges then. */
async function deleteChunks(manager: EntityManager, ids: readonly string[]): Promise<void> {
  const ends = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT target_id AS id FROM retrieval_edges WHERE source_id = ANY ($1::uuid[])
        AND target_id <> ALL ($1::uuid[]) LIMIT ${COUNTED_ENDS}`,
    [ids],
  );
  await manager.query('DELETE FROM retrieval_chunks WHERE id = ANY ($1::uuid[])', [ids]);
  if (ends.length > 0) {
    await countDegrees(
      manager,
      ends.map((it) => it.id),
    );
  }
}

/** @returns how many were not where, or what, they are to be */
async function moveChunks(manager: EntityManager, kept: readonly WantedChunk[]): Promise<number> {
  if (kept.length === 0) return 0;
  const [row] = await manager.query<{ moved: number }[]>(
    `WITH moved AS (
       UPDATE retrieval_chunks k SET place = t.place, type = t.type, created_at = t.created_at
         FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[]) AS t (id, place, type, created_at)
        WHERE k.id = t.id AND (k.place, k.type, k.created_at) IS DISTINCT FROM (t.place, t.type, t.created_at)
       RETURNING k.id, k.type, k.created_at
     ), filed AS (
       UPDATE retrieval_codes c SET type = m.type, created_at = m.created_at FROM moved m
        WHERE c.chunk_id = m.id AND (c.type, c.created_at) IS DISTINCT FROM (m.type, m.created_at)
     )
     SELECT count(*)::integer AS moved FROM moved`,
    [
      kept.map((it) => it.id),
      kept.map((it) => it.place),
      kept.map((it) => it.type),
      kept.map((it) => it.createdAt),
    ],
  );
  return row?.moved ?? 0;
}

async function insertChunks(
  manager: EntityManager,
  workspaceId: string,
  added: readonly WantedChunk[],
): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
     SELECT t.id, $1, t.document_id, t.place, t.type, t.text, s.search,
            coalesce((SELECT sum(cardinality(positions)) FROM unnest(s.search)), 0), t.created_at
       FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::timestamptz[])
              AS t (id, document_id, place, type, text, created_at), to_tsvector('english', t.text) AS s (search)`,
    [
      workspaceId,
      added.map((it) => it.id),
      added.map((it) => it.documentId),
      added.map((it) => it.place),
      added.map((it) => it.type),
      added.map((it) => it.text),
      added.map((it) => it.createdAt),
    ],
  );
}

/** Of chunks that have none of this embedder: the vector of another one is replaced. */
export async function writeVectors(
  manager: EntityManager,
  { workspaceId, embedder }: RowOwner,
  dimensions: number,
  embedded: readonly { readonly chunk: WantedChunk; readonly vector: TextVector }[],
): Promise<void> {
  if (embedded.length === 0) return;
  const ids = embedded.map((it) => it.chunk.id);
  await manager.query(
    `INSERT INTO retrieval_vectors (chunk_id, workspace_id, embedder, dimensions, embedding)
     SELECT id, $1, $2, $3, embedding FROM unnest($4::uuid[], $5::bytea[]) AS t (id, embedding)
     ON CONFLICT (chunk_id) DO UPDATE SET
       embedder = excluded.embedder, dimensions = excluded.dimensions, embedding = excluded.embedding`,
    [workspaceId, embedder, dimensions, ids, embedded.map((it) => it.vector.embedding)],
  );
  await manager.query(
    `INSERT INTO retrieval_codes (chunk_id, workspace_id, embedder, document_id, type, created_at, code)
     SELECT k.id, $1, $2, k.document_id, k.type, k.created_at, t.code::bit(${CODE_BITS})
       FROM unnest($3::uuid[], $4::text[]) AS t (id, code) JOIN retrieval_chunks k ON k.id = t.id
     ON CONFLICT (chunk_id) DO UPDATE SET embedder = excluded.embedder, code = excluded.code`,
    [workspaceId, embedder, ids, embedded.map((it) => it.vector.code)],
  );
}
