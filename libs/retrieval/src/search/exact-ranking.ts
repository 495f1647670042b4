import { cosineToBytes } from '@peregrine/ai/vectors';
import { type EntityManager } from 'typeorm';
import { type CodeSpace } from '../codes/code-source.js';

/** A chunk compared exactly. */
export interface RankedChunk {
  readonly chunkId: string;
  readonly cosine: number;
  /** To the seeds; 0 where no walk led. */
  readonly proximity: number;
  /** The cosine, and in mode `boost` what the proximity adds. */
  readonly score: number;
}

/** Embeddings a statement: few enough that comparing them holds nobody up. */
const BATCH = 250;

/** Compares embeddings with the query's, each once, and keeps what it found. */
export class ExactRanking {
  readonly #ranked = new Map<string, RankedChunk>();
  readonly #seen = new Set<string>();

  constructor(
    private readonly manager: EntityManager,
    private readonly space: CodeSpace,
    private readonly vector: Float32Array,
    /** What a proximity of 1 adds. */
    private readonly boost: number,
  ) {}

  /** How many embeddings were compared. */
  get compared(): number {
    return this.#ranked.size;
  }

  async rank(chunkIds: readonly string[], proximities: ReadonlyMap<string, number>): Promise<void> {
    const added = chunkIds.filter((it) => !this.#seen.has(it));
    for (const it of added) this.#seen.add(it);
    for (let at = 0; at < added.length; at += BATCH) {
      const rows = await this.manager.query<{ id: string; embedding: Buffer }[]>(
        `SELECT v.chunk_id AS id, v.embedding FROM retrieval_vectors v
          WHERE v.workspace_id = $1 AND v.embedder = $2 AND v.chunk_id = ANY ($3::uuid[])`,
        [this.space.workspaceId, this.space.embedder, added.slice(at, at + BATCH)],
      );
      for (const { id, embedding } of rows) {
        const cosine = cosineToBytes(this.vector, embedding);
        const proximity = proximities.get(id) ?? 0;
        const score = cosine + this.boost * proximity;
        this.#ranked.set(id, { chunkId: id, cosine, proximity, score });
      }
    }
  }

  /** The best, equal ones by id. */
  best(limit: number): RankedChunk[] {
    return [...this.#ranked.values()]
      .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
      .slice(0, limit);
  }

  /** The score that a chunk must exceed to be among the best; -Infinity while there are fewer than `limit`. */
  threshold(limit: number): number {
    return this.best(limit)[limit - 1]?.score ?? -Infinity;
  }

  /** What is known of these chunks. */
  of(chunkIds: readonly string[]): RankedChunk[] {
    return chunkIds.flatMap((it) => this.#ranked.get(it) ?? []);
  }
}
