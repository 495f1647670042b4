import { Inject, Injectable } from '@nestjs/common';
import { bitsOf, bytesOf, CODE_BITS, signCode } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { randomUUID } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { DocumentNotFoundError } from '../retrieval.errors.js';
import { embedAll, type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import { VectorIndex } from '../vectors/vector-index.service.js';
import { raiseVersion } from './workspace-version.js';

/** A file in passages. */
export interface ChunkedDocument {
  /** The file's id. */
  readonly documentId: string;
  /** What it is; queries filter by it. */
  readonly type: string;
  readonly createdAt: Date;
  /** In the order of the file; none of them empty. */
  readonly texts: readonly string[];
}

/** Keeps the chunks of files. */
@Injectable()
export class ChunkStore {
  constructor(
    private readonly transactions: Transactions,
    private readonly vectorIndex: VectorIndex,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
  ) {}

  /**
   * Puts the chunks of a document in the place of those that it had, edges included. Embeds before the transaction.
   *
   * @returns the ids of the chunks, in their order
   * @throws {DocumentNotFoundError} {@link InvalidVectorError}; nothing was stored
   */
  async replace(workspaceId: string, document: ChunkedDocument): Promise<string[]> {
    const vectors = document.texts.length > 0 ? await embedAll(this.embedder, document.texts) : [];
    const ids = document.texts.map(() => randomUUID());
    await this.transactions.run(async (manager) => {
      await lockDocument(manager, workspaceId, document.documentId);
      await manager.query('DELETE FROM retrieval_chunks WHERE workspace_id = $1 AND document_id = $2', [
        workspaceId,
        document.documentId,
      ]);
      await insertChunks(manager, workspaceId, document, ids);
      await this.#insertVectors(manager, workspaceId, document, ids, vectors);
      await this.vectorIndex.add(workspaceId, ids, vectors);
      await raiseVersion(manager, workspaceId);
    });
    return ids;
  }

  async #insertVectors(
    manager: EntityManager,
    workspaceId: string,
    { documentId, type, createdAt }: ChunkedDocument,
    ids: readonly string[],
    vectors: readonly Float32Array[],
  ): Promise<void> {
    const { id: embedder, dimensions } = this.embedder;
    await manager.query(
      `INSERT INTO retrieval_vectors (chunk_id, workspace_id, embedder, dimensions, embedding)
       SELECT id, $1, $2, $3, embedding FROM unnest($4::uuid[], $5::bytea[]) AS t (id, embedding)`,
      [workspaceId, embedder, dimensions, ids, vectors.map(bytesOf)],
    );
    await manager.query(
      `INSERT INTO retrieval_codes (chunk_id, workspace_id, embedder, document_id, type, created_at, code)
       SELECT id, $1, $2, $3, $4, $5, code::bit(${CODE_BITS}) FROM unnest($6::uuid[], $7::text[]) AS t (id, code)`,
      [workspaceId, embedder, documentId, type, createdAt, ids, vectors.map((it) => bitsOf(signCode(it)))],
    );
  }
}

/** Two that replace the same document come one after the other, and a file that is deleted meanwhile takes the chunks along. */
async function lockDocument(manager: EntityManager, workspaceId: string, documentId: string): Promise<void> {
  const rows = await manager.query<unknown[]>(
    'SELECT 1 FROM files WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE',
    [workspaceId, documentId],
  );
  if (rows.length === 0) throw new DocumentNotFoundError(workspaceId, documentId);
}

async function insertChunks(
  manager: EntityManager,
  workspaceId: string,
  { documentId, type, createdAt, texts }: ChunkedDocument,
  ids: readonly string[],
): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
     SELECT t.id, $1, $2, t.place - 1, $3, t.text, s.search,
            coalesce((SELECT sum(cardinality(positions)) FROM unnest(s.search)), 0), $4
       FROM unnest($5::uuid[], $6::text[]) WITH ORDINALITY AS t (id, text, place), to_tsvector('english', t.text) AS s (search)`,
    [workspaceId, documentId, type, createdAt, ids, texts],
  );
}
