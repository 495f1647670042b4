import { bitsOf, CODE_BITS, signCode } from '@peregrine/ai/vectors';
import { type EntityManager } from 'typeorm';
import { exactNeighbours, type StoredCandidate } from './exact-neighbours.js';
import {
  type CandidateClause,
  type IndexedVector,
  type NearestAnswer,
  type NearestOptions,
  type VectorIndex,
  type VectorSpace,
} from './vector-index.js';

/** The length that the migration has made an HNSW index for. */
const INDEXED_DIMENSIONS = 384;
/** An approximate index is asked for more than is wanted, and the best are taken exactly. */
const WIDENING = 8;

/** Nearest vectors by pgvector: HNSW for 384 dimensions, a scan of the workspace for others. */
export class PgvectorIndex implements VectorIndex {
  readonly name = 'pgvector';

  /** With the sign codes, so that a database can go back to them. */
  async add(manager: EntityManager, space: VectorSpace, vectors: readonly IndexedVector[]): Promise<void> {
    await manager.query(
      `INSERT INTO memory_codes (memory_id, workspace_id, embedder, code, vector)
       SELECT id, $1, $2, code::bit(${CODE_BITS}), vector::vector
         FROM unnest($3::uuid[], $4::text[], $5::text[]) AS t (id, code, vector) ORDER BY id
       ON CONFLICT (memory_id) DO UPDATE SET embedder = excluded.embedder, code = excluded.code, vector = excluded.vector`,
      [
        space.workspaceId,
        space.embedder,
        vectors.map((it) => it.memoryId),
        vectors.map((it) => bitsOf(signCode(it.vector))),
        vectors.map((it) => literalOf(it.vector)),
      ],
    );
  }

  async nearest(manager: EntityManager, options: NearestOptions): Promise<NearestAnswer> {
    const wanted = options.limit * WIDENING;
    const { sql, parameters } = this.candidates(options, options.vector, {
      firstParameter: 1,
      limit: wanted,
    });
    const fetched = await manager.query<StoredCandidate[]>(
      `WITH ${sql} SELECT n.memory_id AS "memoryId", n.distance, v.embedding
         FROM near n JOIN memory_vectors v ON v.memory_id = n.memory_id`,
      [...parameters],
    );
    // HNSW has no certificate; only an answer that holds everything is known to be complete.
    const certificate = fetched.length < wanted ? Infinity : NaN;
    return { neighbours: exactNeighbours(fetched, options), compared: fetched.length, certificate };
  }

  candidates(
    space: VectorSpace,
    vector: Float32Array,
    { firstParameter: at, limit }: { firstParameter: number; limit: number },
  ): CandidateClause {
    const rows =
      vector.length === INDEXED_DIMENSIONS
        ? `SELECT n.memory_id, n.distance FROM nearest_memories($${at}, $${at + 1}, $${at + 2}::vector, $${at + 3}) n`
        : `SELECT c.memory_id, c.vector <=> $${at + 2}::vector AS distance FROM memory_codes c
            WHERE c.workspace_id = $${at} AND c.embedder = $${at + 1} ORDER BY distance LIMIT $${at + 3}`;
    return {
      sql: `near AS MATERIALIZED (${rows})`,
      parameters: [space.workspaceId, space.embedder, literalOf(vector), limit],
    };
  }
}

function literalOf(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}
