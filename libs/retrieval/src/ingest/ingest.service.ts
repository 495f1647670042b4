import { Inject, Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EntityManager } from 'typeorm';
import { ChunkStore } from '../chunks/chunk-store.service.js';
import { type WantedChunk } from '../chunks/match-chunks.js';
import { type TextVectors } from '../chunks/text-vectorizer.service.js';
import { lockWorkspace } from '../chunks/workspace-version.js';
import { EdgeStore } from '../graph/edge-store.service.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import {
  type ChunkName,
  lockCurrent,
  markIngested,
  sourcesOf,
  writeEntities,
  writeLinks,
} from './document-rows.js';
import { edgesOf, INGEST_EDGES } from './ingest-edges.js';
import {
  type PlacedName,
  prepareDocument,
  type PreparedDocument,
  type SourceDocument,
} from './prepare-document.js';
import { Turns } from './turns.js';

/** Makes files findable: passages with their embeddings, and the edges between them. */
@Injectable()
export class IngestService {
  /** They wait for each other in the database, too, but there each of them has a connection. */
  readonly #writers = new Turns();

  constructor(
    private readonly transactions: Transactions,
    private readonly chunks: ChunkStore,
    private readonly edges: EdgeStore,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
  ) {}

  /**
   * Ingests what the files have become; those that are ingested as they are, wait for their text or are gone cost nothing. New texts of a
   * workspace are embedded in one call, outside of the transaction that then writes all of its documents or none.
   *
   * @throws {InvalidVectorError} and what the embedder throws
   */
  async ingest(documentIds: readonly string[], signal?: AbortSignal): Promise<void> {
    const sources = await sourcesOf(this.transactions.manager, this.embedder.id, documentIds);
    for (const [workspaceId, its] of Map.groupBy(sources, (it) => it.workspaceId)) {
      signal?.throwIfAborted();
      await this.#ingest(workspaceId, await prepareAll(its), signal);
    }
  }

  async #ingest(
    workspaceId: string,
    documents: readonly PreparedDocument[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const vectors = await this.chunks.embedNew(documents, { workspaceId, ...(signal && { signal }) });
    await this.#writers.take(workspaceId, () =>
      this.transactions.run(async (manager) => {
        await lockWorkspace(manager, workspaceId);
        await this.#write(manager, workspaceId, await lockCurrent(manager, documents), vectors);
      }),
    );
  }

  async #write(
    manager: EntityManager,
    workspaceId: string,
    documents: readonly PreparedDocument[],
    vectors: TextVectors,
  ): Promise<void> {
    if (documents.length === 0) return;
    const documentIds = documents.map((it) => it.documentId);
    const chunks = await this.chunks.put(manager, workspaceId, documents, vectors);
    const chunkIds = chunks.map((it) => it.id);
    const named = (of: 'links' | 'entities') => ({
      workspaceId,
      chunkIds,
      names: namesOfChunks(documents, chunks, of),
    });
    await writeLinks(manager, named('links'));
    await writeEntities(manager, named('entities'));
    await markIngested(manager, { workspaceId, embedder: this.embedder.id }, documents);
    const edges = await edgesOf(manager, workspaceId, documentIds);
    await this.edges.replaceOf(manager, workspaceId, { chunkIds, types: INGEST_EDGES, edges });
  }
}

/** A large file takes milliseconds: others have their turn after each. */
async function prepareAll(sources: readonly SourceDocument[]): Promise<PreparedDocument[]> {
  const prepared: PreparedDocument[] = [];
  for (const it of sources) {
    prepared.push(prepareDocument(it));
    await nextTurn();
  }
  return prepared;
}

function namesOfChunks(
  documents: readonly PreparedDocument[],
  chunks: readonly WantedChunk[],
  of: 'links' | 'entities',
): ChunkName[] {
  const byDocument = Map.groupBy(chunks, (it) => it.documentId);
  return documents.flatMap((document) => {
    const own = byDocument.get(document.documentId) ?? [];
    return document[of].flatMap(({ place, name }: PlacedName) => {
      const chunk = own[place];
      return chunk ? [{ chunkId: chunk.id, name }] : [];
    });
  });
}
