import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CodeSpace } from '../codes/code-source.js';
import { type Statements } from '../statements.js';
import { type KnownVectors, unitOf } from '../vectors/vector-cache.js';
import { BestScores } from './best-scores.js';

/** A chunk compared exactly. */
export interface RankedChunk {
  readonly chunkId: string;
  readonly cosine: number;
  /** To the seeds; 0 where no walk led. */
  readonly proximity: number;
  /** The cosine, and in mode `boost` what the proximity adds. */
  readonly score: number;
}

export interface RankingGoal {
  readonly space: CodeSpace;
  readonly vector: Float32Array;
  /** What a proximity of 1 adds. */
  readonly boost: number;
  /** How many of the best there are to be. */
  readonly limit: number;
}

/** Embeddings a statement: few enough that reading and comparing them holds nobody up. */
export const BATCH = 250;

/** Compares embeddings with the query's, each once, and keeps what it found. */
export class ExactRanking {
  readonly #ranked = new Map<string, RankedChunk>();
  readonly #seen = new Set<string>();
  readonly #best: BestScores;
  readonly #unit: Float32Array;
  #read = 0;

  constructor(
    private readonly statements: Statements,
    private readonly goal: RankingGoal,
    private readonly known: KnownVectors,
  ) {
    this.#best = new BestScores(goal.limit);
    this.#unit = unitOf(goal.vector);
  }

  /** How many embeddings were compared. */
  get compared(): number {
    return this.#ranked.size;
  }

  /** How many of them PostgreSQL had to send. */
  get read(): number {
    return this.#read;
  }

  /** How many were gone when their embeddings were asked for. */
  get missing(): number {
    return this.#seen.size - this.#ranked.size;
  }

  /** The score that a chunk must exceed to be among the best; -Infinity while there are fewer than the limit. */
  get threshold(): number {
    return this.#best.threshold;
  }

  async rank(chunkIds: readonly string[], proximities: ReadonlyMap<string, number>): Promise<void> {
    const added = chunkIds.filter((it) => !this.#seen.has(it));
    for (const it of added) this.#seen.add(it);
    for (let at = 0; at < added.length; at += BATCH) {
      // A batch that is all in memory waits for no statement: others get their turn here.
      if (at > 0) await nextTurn();
      await this.#rankBatch(added.slice(at, at + BATCH), proximities);
    }
  }

  /** The best, equal ones by id. */
  best(): RankedChunk[] {
    const { threshold } = this;
    return [...this.#ranked.values()]
      .filter((it) => it.score >= threshold)
      .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
      .slice(0, this.goal.limit);
  }

  /** What is known of these chunks. */
  of(chunkIds: readonly string[]): RankedChunk[] {
    return chunkIds.flatMap((it) => this.#ranked.get(it) ?? []);
  }

  async #rankBatch(chunkIds: readonly string[], proximities: ReadonlyMap<string, number>): Promise<void> {
    const missing: string[] = [];
    for (const id of chunkIds) {
      const cosine = this.known.cosine(id, this.#unit);
      if (cosine === undefined) missing.push(id);
      else this.#add(id, cosine, proximities);
    }
    if (missing.length === 0) return;
    const { workspaceId, embedder } = this.goal.space;
    const rows = await this.statements.query<{ id: string; embedding: Buffer }[]>(
      `SELECT v.chunk_id AS id, v.embedding FROM retrieval_vectors v
        WHERE v.workspace_id = $1 AND v.embedder = $2 AND v.chunk_id = ANY ($3::uuid[])`,
      [workspaceId, embedder, missing],
    );
    this.#read += rows.length;
    for (const { id, embedding } of rows) {
      this.#add(id, this.known.add(id, embedding, this.#unit), proximities);
    }
  }

  #add(chunkId: string, cosine: number, proximities: ReadonlyMap<string, number>): void {
    const proximity = proximities.get(chunkId) ?? 0;
    const score = cosine + this.goal.boost * proximity;
    this.#ranked.set(chunkId, { chunkId, cosine, proximity, score });
    this.#best.add(score);
  }
}
