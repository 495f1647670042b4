import { type EntityManager } from 'typeorm';

/** Which vectors are meant: those of one embedder in one workspace. */
export interface VectorSpace {
  readonly workspaceId: string;
  readonly embedder: string;
}

/** A vector to be found. */
export interface IndexedVector {
  readonly memoryId: string;
  readonly vector: Float32Array;
}

export interface Neighbour {
  readonly memoryId: string;
  /** Exact, from the stored embedding. */
  readonly cosine: number;
}

export interface NearestOptions extends VectorSpace {
  readonly vector: Float32Array;
  /** How many at most. */
  readonly limit: number;
  /** None that is farther. @default -1 */
  readonly minCosine?: number;
}

export interface NearestAnswer {
  /** Nearest first. */
  readonly neighbours: readonly Neighbour[];
  /** How many stored embeddings were compared exactly. */
  readonly compared: number;
  /** How many standard deviations a nearer one would have to stray to be missed; infinite when all were compared. */
  readonly certificate: number;
}

/** A part of a statement, `name AS (…)` in a WITH clause, with columns `memory_id` and `distance`. */
export interface CandidateClause {
  readonly sql: string;
  /** For `$n` from the number on that the clause was made for. */
  readonly parameters: readonly unknown[];
}

/**
 * Finds the nearest vectors of a workspace. Every implementation passes `runVectorIndexContract`.
 * Embeddings themselves are in `memory_vectors`; an index holds what it needs beside them.
 */
export interface VectorIndex {
  readonly name: 'sign-codes' | 'pgvector';
  /** Makes vectors findable, in the transaction of `manager`, in place of earlier ones of the same memories. */
  add(manager: EntityManager, space: VectorSpace, vectors: readonly IndexedVector[]): Promise<void>;
  /** At least `recall@10` 0.95 of the exact answer. */
  nearest(manager: EntityManager, options: NearestOptions): Promise<NearestAnswer>;
  /**
   * The likely nearest for a statement that does more, in the clause `near`.
   *
   * @param firstParameter the number of the clause's first `$n`
   * @param limit how many at most
   */
  candidates(
    space: VectorSpace,
    vector: Float32Array,
    options: { readonly firstParameter: number; readonly limit: number },
  ): CandidateClause;
}
