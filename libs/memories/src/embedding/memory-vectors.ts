import { Inject, Injectable } from '@nestjs/common';
import { bytesOf } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { embedAll, type Embedder, MEMORY_EMBEDDER } from './embedder.js';
import { type IndexedVector } from '../vectors/vector-index.js';
import { VectorIndexProvider } from '../vectors/vector-index.provider.js';

/** A memory whose embedding is to be made. */
export interface PendingMemory {
  readonly memoryId: string;
  readonly workspaceId: string;
  readonly content: string;
}

interface EmbeddedMemory extends IndexedVector {
  readonly workspaceId: string;
}

/** The beginning of a text stands for the whole: models take some thousand tokens. Characters. */
const MAX_EMBEDDED_CHARACTERS = 16_000;

/** Makes the embeddings of memories and keeps them. */
@Injectable()
export class MemoryVectors {
  constructor(
    private readonly transactions: Transactions,
    private readonly indexes: VectorIndexProvider,
    @Inject(MEMORY_EMBEDDER) private readonly embedder: Embedder,
  ) {}

  /** Those of the memories that still wait for their embedding. */
  pending(memoryIds: readonly string[]): Promise<PendingMemory[]> {
    return this.transactions.manager.query<PendingMemory[]>(
      `SELECT p.memory_id AS "memoryId", p.workspace_id AS "workspaceId", m.content
         FROM memory_pending_embeddings p JOIN memories m ON m.id = p.memory_id
        WHERE p.memory_id = ANY ($1) ORDER BY p.memory_id`,
      [memoryIds],
    );
  }

  /**
   * All or none of them.
   *
   * @throws {InvalidEmbeddingError} and what the embedder throws
   */
  async embed(memories: readonly PendingMemory[], signal: AbortSignal): Promise<void> {
    if (memories.length === 0) return;
    const embedded: EmbeddedMemory[] = [];
    for (const [workspaceId, its] of Map.groupBy(memories, (it) => it.workspaceId)) {
      const texts = its.map((it) => it.content.slice(0, MAX_EMBEDDED_CHARACTERS).toWellFormed());
      const vectors = await embedAll(this.embedder, texts, { workspaceId, signal });
      for (const [at, vector] of vectors.entries()) {
        embedded.push({ memoryId: its[at]?.memoryId ?? '', workspaceId, vector });
      }
    }
    await this.#save(embedded);
  }

  async #save(embedded: readonly EmbeddedMemory[]): Promise<void> {
    await this.transactions.run(async (manager) => {
      await manager.query(
        `INSERT INTO memory_vectors (memory_id, workspace_id, embedder, dimensions, embedding)
         SELECT t.memory_id, t.workspace_id, $1, $2, t.embedding
           FROM unnest($3::uuid[], $4::uuid[], $5::bytea[]) AS t (memory_id, workspace_id, embedding)
         ON CONFLICT (memory_id) DO UPDATE SET
           embedder = excluded.embedder, dimensions = excluded.dimensions, embedding = excluded.embedding`,
        [
          this.embedder.id,
          this.embedder.dimensions,
          embedded.map((it) => it.memoryId),
          embedded.map((it) => it.workspaceId),
          embedded.map((it) => bytesOf(it.vector)),
        ],
      );
      for (const [workspaceId, its] of Map.groupBy(embedded, (it) => it.workspaceId)) {
        await this.indexes.current.add(manager, { workspaceId, embedder: this.embedder.id }, its);
      }
      await manager.query('DELETE FROM memory_pending_embeddings WHERE memory_id = ANY ($1)', [
        embedded.map((it) => it.memoryId),
      ]);
    });
  }
}
