import { type EntityManager } from 'typeorm';
import { type RowOwner } from '../chunks/chunk-rows.js';
import { CHUNKING } from './passages.js';
import { type PreparedDocument, type SourceDocument } from './prepare-document.js';

/** Those of the files whose text is there and not ingested as it is. */
export function sourcesOf(
  manager: EntityManager,
  embedder: string,
  documentIds: readonly string[],
): Promise<SourceDocument[]> {
  return manager.query<SourceDocument[]>(
    `SELECT f.id AS "documentId", f.workspace_id AS "workspaceId", f.revision, f.path, f.media_type AS "mediaType",
            f.created_at AS "createdAt", t.body
       FROM files f JOIN file_documents t ON t.file_id = f.id
       LEFT JOIN retrieval_documents d
         ON d.document_id = f.id AND d.revision = f.revision AND d.embedder = $1 AND d.chunking = $2
      WHERE f.id = ANY ($3::uuid[]) AND f.status <> 'pending' AND d.document_id IS NULL ORDER BY f.id`,
    [embedder, CHUNKING, documentIds],
  );
}

/** Keeps the files from changing until the end of the transaction. @returns those that are still what the documents were made of */
export async function lockCurrent(
  manager: EntityManager,
  documents: readonly PreparedDocument[],
): Promise<PreparedDocument[]> {
  const rows = await manager.query<{ id: string; revision: number }[]>(
    `SELECT id, revision FROM files WHERE id = ANY ($1::uuid[]) AND status <> 'pending' ORDER BY id FOR NO KEY UPDATE`,
    [documents.map((it) => it.documentId)],
  );
  const revisions = new Map(rows.map((it) => [it.id, it.revision]));
  return documents.filter((it) => revisions.get(it.documentId) === it.revision);
}

/** Something that a chunk refers to, or names. */
export interface ChunkName {
  readonly chunkId: string;
  readonly name: string;
}

/** What chunks link to, in the place of what they linked to before. */
export function writeLinks(manager: EntityManager, names: NamesOfChunks): Promise<void> {
  return writeNames(manager, { table: 'retrieval_links', column: 'target' }, names);
}

/** What chunks are the first of their document to name, in the place of what they were before. */
export function writeEntities(manager: EntityManager, names: NamesOfChunks): Promise<void> {
  return writeNames(manager, { table: 'retrieval_entities', column: 'entity' }, names);
}

interface NamesOfChunks {
  readonly workspaceId: string;
  readonly chunkIds: readonly string[];
  readonly names: readonly ChunkName[];
}

async function writeNames(
  manager: EntityManager,
  { table, column }: { table: string; column: string },
  { workspaceId, chunkIds, names }: NamesOfChunks,
): Promise<void> {
  await manager.query(
    `WITH input AS (SELECT * FROM unnest($2::uuid[], $3::text[]) AS t (chunk_id, name)),
          gone AS (DELETE FROM ${table} o WHERE o.chunk_id = ANY ($4::uuid[])
                      AND NOT EXISTS (SELECT FROM input i WHERE i.chunk_id = o.chunk_id AND i.name = o.${column}))
     INSERT INTO ${table} (workspace_id, chunk_id, ${column})
     SELECT $1, chunk_id, name FROM input ORDER BY 2, 3 ON CONFLICT DO NOTHING`,
    [workspaceId, names.map((it) => it.chunkId), names.map((it) => it.name), chunkIds],
  );
}

/** Says of which revision the chunks are: with this a document is ingested. */
export async function markIngested(
  manager: EntityManager,
  { workspaceId, embedder }: RowOwner,
  documents: readonly PreparedDocument[],
): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_documents AS d (document_id, workspace_id, revision, chunking, embedder, names)
     SELECT "documentId", $1, revision, $2, $3, names
       FROM jsonb_to_recordset($4) AS t ("documentId" uuid, revision integer, names text[])
     ON CONFLICT (document_id) DO UPDATE SET
       revision = excluded.revision, chunking = excluded.chunking, embedder = excluded.embedder, names = excluded.names`,
    [
      ...[workspaceId, CHUNKING, embedder],
      JSON.stringify(documents.map(({ documentId, revision, names }) => ({ documentId, revision, names }))),
    ],
  );
}
