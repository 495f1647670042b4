import { type Statements } from '../statements.js';
import { type FusedChunk } from './fuse-scores.js';
import { type RetrievalHit } from './retrieval-answer.js';

type ShownChunk = Pick<RetrievalHit, 'chunkId' | 'documentId' | 'place' | 'type' | 'createdAt' | 'text'>;

/** What is shown of the best, those that are gone left out; and the version of the workspace as this one statement saw it. */
export async function readHits(
  statements: Statements,
  workspaceId: string,
  best: readonly FusedChunk[],
): Promise<{ hits: RetrievalHit[]; version: string }> {
  const rows = await statements.query<({ version: string } & (ShownChunk | { chunkId: null }))[]>(
    `SELECT coalesce(v.version, 0)::text AS version, k.id AS "chunkId", k.document_id AS "documentId", k.place, k.type,
            k.created_at AS "createdAt", k.text
       FROM (SELECT $1::uuid AS workspace_id) w
       LEFT JOIN retrieval_versions v ON v.workspace_id = w.workspace_id
       LEFT JOIN retrieval_chunks k ON k.workspace_id = w.workspace_id AND k.id = ANY ($2::uuid[])`,
    [workspaceId, best.map((it) => it.chunkId)],
  );
  const shown = new Map(
    rows.flatMap(({ version: _, ...it }) => (it.chunkId === null ? [] : [[it.chunkId, it]])),
  );
  const hits = best.flatMap((it) => {
    const row = shown.get(it.chunkId);
    return row ? [{ ...row, ...it }] : [];
  });
  return { hits, version: rows[0]?.version ?? '0' };
}
