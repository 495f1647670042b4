import { Injectable } from '@nestjs/common';
import { vectorOf } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { VectorIndexProvider } from '../vectors/vector-index.provider.js';

/**
 * Makes memories findable, or not, in the current transaction. An original that a summary stands for stays as it is, with
 * its embedding; only its words and its code go.
 */
@Injectable()
export class MemoryVisibility {
  constructor(
    private readonly transactions: Transactions,
    private readonly indexes: VectorIndexProvider,
  ) {}

  async hide(memoryIds: readonly string[]): Promise<void> {
    const { manager } = this.transactions;
    await manager.query(
      `WITH hidden AS (
         DELETE FROM memory_words WHERE memory_id = ANY ($1) RETURNING workspace_id, search, word_count
       ), codes AS (
         DELETE FROM memory_codes WHERE memory_id = ANY ($1)
       ), pending AS (
         DELETE FROM memory_pending_embeddings WHERE memory_id = ANY ($1)
       )
       INSERT INTO memory_term_changes (workspace_id, search, word_count, sign)
       SELECT workspace_id, search, word_count, -1 FROM hidden`,
      [memoryIds],
    );
  }

  async show(memoryIds: readonly string[]): Promise<void> {
    const { manager } = this.transactions;
    await manager.query(
      `WITH shown AS (
         INSERT INTO memory_words (memory_id, workspace_id, search, word_count)
         SELECT m.id, m.workspace_id, s.search,
                coalesce((SELECT sum(cardinality(positions)) FROM unnest(s.search)), 0)
           FROM memories m, to_tsvector('english', m.content) AS s (search) WHERE m.id = ANY ($1)
         ON CONFLICT DO NOTHING
         RETURNING workspace_id, search, word_count
       ), pending AS (
         INSERT INTO memory_pending_embeddings (memory_id, workspace_id)
         SELECT m.id, m.workspace_id FROM memories m
          WHERE m.id = ANY ($1) AND NOT EXISTS (SELECT FROM memory_vectors v WHERE v.memory_id = m.id)
         ON CONFLICT DO NOTHING
       )
       INSERT INTO memory_term_changes (workspace_id, search, word_count, sign)
       SELECT workspace_id, search, word_count, 1 FROM shown`,
      [memoryIds],
    );
    const vectors = await manager.query<
      { memoryId: string; workspaceId: string; embedder: string; embedding: Buffer }[]
    >(
      `SELECT memory_id AS "memoryId", workspace_id AS "workspaceId", embedder, embedding
         FROM memory_vectors WHERE memory_id = ANY ($1)`,
      [memoryIds],
    );
    for (const { memoryId, embedding, ...space } of vectors) {
      await this.indexes.current.add(manager, space, [{ memoryId, vector: vectorOf(embedding) }]);
    }
  }
}
