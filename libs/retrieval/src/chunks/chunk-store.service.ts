import { Injectable } from '@nestjs/common';
import { vectorOf } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { type EntityManager } from 'typeorm';
import { DocumentNotFoundError } from '../retrieval.errors.js';
import { type EmbedOptions } from '../vectors/embedder.js';
import { VectorIndex } from '../vectors/vector-index.service.js';
import { type RowOwner, storedChunks, writeChunks, writeVectors } from './chunk-rows.js';
import { type ChunkedDocument, matchChunks, type WantedChunk } from './match-chunks.js';
import { TextVectorizer, type TextVectors } from './text-vectorizer.service.js';
import { lockWorkspace, raiseVersion } from './workspace-version.js';

/** Keeps the chunks of files. */
@Injectable()
export class ChunkStore {
  constructor(
    private readonly transactions: Transactions,
    private readonly vectorizer: TextVectorizer,
    private readonly vectorIndex: VectorIndex,
  ) {}

  /**
   * Puts the chunks of a document in the place of those that it had. A text that it had keeps its chunk, with id, embedding and edges; the
   * others of it go. Embeds before the transaction, and only what is new.
   *
   * @returns the ids of the chunks, in their order
   * @throws {DocumentNotFoundError} {@link InvalidVectorError}; nothing was stored
   */
  async replace(workspaceId: string, document: ChunkedDocument): Promise<string[]> {
    const vectors = await this.embedNew([document], { workspaceId });
    return this.transactions.run(async (manager) => {
      await lockWorkspace(manager, workspaceId);
      await lockDocument(manager, workspaceId, document.documentId);
      const chunks = await this.put(manager, workspaceId, [document], vectors);
      return chunks.map((it) => it.id);
    });
  }

  /**
   * The embeddings of the texts that the documents do not have yet, in one call.
   *
   * @throws {InvalidVectorError}
   */
  async embedNew(documents: readonly ChunkedDocument[], options: EmbedOptions): Promise<TextVectors> {
    const owner = this.#owner(options.workspaceId);
    const stored = await storedChunks(this.transactions.manager, owner, idsOf(documents));
    const vectors: TextVectors = new Map();
    await this.vectorizer.add(vectors, unembedded(matchChunks(documents, stored).wanted), options);
    return vectors;
  }

  /**
   * What {@link replace} does in its transaction, for several documents: the caller has locked the workspace and them.
   *
   * @returns by document and place
   */
  async put(
    manager: EntityManager,
    workspaceId: string,
    documents: readonly ChunkedDocument[],
    vectors: TextVectors,
  ): Promise<readonly WantedChunk[]> {
    const owner = this.#owner(workspaceId);
    const matched = matchChunks(documents, await storedChunks(manager, owner, idsOf(documents)));
    const lacking = matched.wanted.filter((it) => !it.isEmbedded);
    // Only when another has replaced the document since they were made.
    await this.vectorizer.add(vectors, unembedded(lacking), { workspaceId });
    const embedded = lacking.flatMap((chunk) => {
      const vector = vectors.get(chunk.text);
      return vector ? [{ chunk, vector }] : [];
    });
    const { changed } = await writeChunks(manager, owner, matched);
    await writeVectors(manager, owner, this.vectorizer.embedder.dimensions, embedded);
    await this.vectorIndex.add(
      workspaceId,
      embedded.map((it) => it.chunk.id),
      embedded.map((it) => vectorOf(it.vector.embedding)),
    );
    if (changed || embedded.length > 0) await raiseVersion(manager, workspaceId);
    return matched.wanted;
  }

  #owner(workspaceId: string): RowOwner {
    return { workspaceId, embedder: this.vectorizer.embedder.id };
  }
}

function idsOf(documents: readonly ChunkedDocument[]): string[] {
  return documents.map((it) => it.documentId);
}

function unembedded(chunks: readonly WantedChunk[]): string[] {
  return chunks.filter((it) => !it.isEmbedded).map((it) => it.text);
}

/** A file that is deleted meanwhile takes the chunks along. */
async function lockDocument(manager: EntityManager, workspaceId: string, documentId: string): Promise<void> {
  const rows = await manager.query<unknown[]>(
    'SELECT 1 FROM files WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE',
    [workspaceId, documentId],
  );
  if (rows.length === 0) throw new DocumentNotFoundError(workspaceId, documentId);
}
