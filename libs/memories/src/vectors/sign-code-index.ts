import { bitsOf, CODE_BITS, distanceDeviation, expectedDistance, signCode } from '@peregrine/ai/vectors';
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

/** An answer is taken when a missed neighbour would have strayed by this many standard deviations. */
const CERTAIN = 2;
/** How many of the nearest codes tell how dense the neighbourhood is. */
const PROBED = 10;
/** Of the first fetch; a second one goes as far as it must. */
const FIRST_FETCH = 400;
/** Wider than `CERTAIN`: the nearest codes look nearer than their vectors are, because they were chosen for it. */
const MARGIN = 3;

/**
 * Nearest vectors by sign codes, without an extension: codes are compared by Hamming distance in one pass over a
 * narrow index, and what is near enough is compared exactly. How many that are follows from the distances themselves, because a
 * fixed number is too small for a dense cluster and too large for a sparse one.
 */
export class SignCodeIndex implements VectorIndex {
  readonly name = 'sign-codes';

  async add(manager: EntityManager, space: VectorSpace, vectors: readonly IndexedVector[]): Promise<void> {
    await manager.query(
      `INSERT INTO memory_codes (memory_id, workspace_id, embedder, code)
       SELECT id, $1, $2, code::bit(${CODE_BITS}) FROM unnest($3::uuid[], $4::text[]) AS t (id, code) ORDER BY id
       ON CONFLICT (memory_id) DO UPDATE SET embedder = excluded.embedder, code = excluded.code`,
      [
        space.workspaceId,
        space.embedder,
        vectors.map((it) => it.memoryId),
        vectors.map((it) => bitsOf(signCode(it.vector))),
      ],
    );
  }

  async nearest(manager: EntityManager, options: NearestOptions): Promise<NearestAnswer> {
    const { limit, minCosine } = options;
    const code = bitsOf(signCode(options.vector));
    const first =
      minCosine === undefined
        ? await fetchFirst(manager, options, code)
        : await fetchWithin(manager, options, code, cutFor(minCosine, MARGIN));
    const found = exactNeighbours(first, options);
    if (minCosine !== undefined) {
      return { neighbours: found, compared: first.length, certificate: MARGIN };
    }
    const certificate = certify(first, found.at(-1)?.cosine ?? -1, limit);
    if (certificate >= CERTAIN) return { neighbours: found, compared: first.length, certificate };
    // The worst of those found says how far a better one may be.
    const second = await fetchWithin(manager, options, code, cutFor(found.at(-1)?.cosine ?? -1, CERTAIN));
    return { neighbours: exactNeighbours(second, options), compared: second.length, certificate: CERTAIN };
  }

  candidates(
    space: VectorSpace,
    vector: Float32Array,
    { firstParameter: at, limit }: { firstParameter: number; limit: number },
  ): CandidateClause {
    return {
      sql: `near AS MATERIALIZED (
        SELECT memory_id, distance::float8 AS distance FROM (
          SELECT memory_id, distance, max(distance) FILTER (WHERE place <= ${PROBED}) OVER () AS probed FROM (
            SELECT memory_id, distance, row_number() OVER (ORDER BY distance, memory_id) AS place FROM (
              SELECT c.memory_id, bit_count(c.code # $${at + 2}::text::bit(${CODE_BITS})) AS distance
                FROM memory_codes c WHERE c.workspace_id = $${at} AND c.embedder = $${at + 1}
               ORDER BY distance, c.memory_id LIMIT $${at + 3}
            ) nearest
          ) placed
        ) measured
        WHERE distance <= probed + ${MARGIN} * sqrt(probed * (1 - probed::float8 / ${CODE_BITS}))
      )`,
      parameters: [space.workspaceId, space.embedder, bitsOf(signCode(vector)), limit],
    };
  }
}

/** No code farther than this can be of a vector with this cosine, short of so many standard deviations. */
function cutFor(cosine: number, deviations: number): number {
  const expected = expectedDistance(cosine);
  return Math.ceil(expected + deviations * distanceDeviation(expected));
}

function certify(fetched: readonly StoredCandidate[], worstCosine: number, limit: number): number {
  if (fetched.length < Math.max(limit, FIRST_FETCH)) return Infinity;
  const farthest = fetched.reduce((max, it) => Math.max(max, it.distance), 0);
  const expected = expectedDistance(worstCosine);
  return (farthest - expected) / distanceDeviation(expected);
}

function fetchFirst(
  manager: EntityManager,
  { workspaceId, embedder, limit }: NearestOptions,
  code: string,
): Promise<StoredCandidate[]> {
  return manager.query<StoredCandidate[]>(
    `SELECT n.memory_id AS "memoryId", n.distance, v.embedding FROM (
       SELECT c.memory_id, bit_count(c.code # $3::text::bit(${CODE_BITS}))::float8 AS distance
         FROM memory_codes c WHERE c.workspace_id = $1 AND c.embedder = $2
        ORDER BY distance, c.memory_id LIMIT $4
     ) n JOIN memory_vectors v ON v.memory_id = n.memory_id`,
    [workspaceId, embedder, code, Math.max(limit, FIRST_FETCH)],
  );
}

function fetchWithin(
  manager: EntityManager,
  { workspaceId, embedder }: NearestOptions,
  code: string,
  distance: number,
): Promise<StoredCandidate[]> {
  return manager.query<StoredCandidate[]>(
    `SELECT n.memory_id AS "memoryId", n.distance, v.embedding FROM (
       SELECT c.memory_id, bit_count(c.code # $3::text::bit(${CODE_BITS}))::float8 AS distance
         FROM memory_codes c WHERE c.workspace_id = $1 AND c.embedder = $2
     ) n JOIN memory_vectors v ON v.memory_id = n.memory_id
     WHERE n.distance <= $4`,
    [workspaceId, embedder, code, distance],
  );
}
