import { bitsOf, CODE_BITS } from '@peregrine/ai/vectors';
import { type ChunkFilter, filterCondition, isUnfiltered } from '../search/chunk-filter.js';
import { type Candidate, type CodeRequest, type CodeSource, type CodeSpace } from './code-source.js';
import { type Statements } from '../statements.js';

const DISTANCE = `bit_count(c.code # $3::text::bit(${CODE_BITS}))::integer`;

/** Codes compared by PostgreSQL: one pass over a narrow index, or over what the filter leaves. */
export class SqlCodes implements CodeSource {
  constructor(
    private readonly statements: Statements,
    private readonly space: CodeSpace,
    private readonly probe: Uint32Array,
  ) {}

  nearest({ filter, only, maxDistance, after, limit }: CodeRequest): Promise<Candidate[]> {
    const condition = filterCondition(filter, 8);
    return this.statements.query<Candidate[]>(
      `SELECT d.chunk_id AS "chunkId", d.distance FROM (
         SELECT c.chunk_id, ${DISTANCE} AS distance FROM retrieval_codes c
          WHERE c.workspace_id = $1 AND c.embedder = $2${condition.sql}
            ${only ? 'AND c.chunk_id = ANY ($7::uuid[])' : 'AND $7::uuid[] IS NULL'}
       ) d WHERE d.distance <= $4 ${after ? 'AND (d.distance, d.chunk_id) > ($5::integer, $6::uuid)' : 'AND $5::integer IS NULL AND $6::uuid IS NULL'}
        ORDER BY d.distance, d.chunk_id LIMIT ${limit}`,
      [
        ...[this.space.workspaceId, this.space.embedder, bitsOf(this.probe), maxDistance],
        ...[after?.distance ?? null, after?.chunkId ?? null, only ?? null, ...condition.parameters],
      ],
    );
  }

  /** Those of some chunks that pass a filter. */
  async passing(filter: ChunkFilter, chunkIds: readonly string[]): Promise<readonly string[]> {
    if (isUnfiltered(filter)) return chunkIds;
    const condition = filterCondition(filter, 4);
    const rows = await this.statements.query<{ id: string }[]>(
      `SELECT c.chunk_id AS id FROM retrieval_codes c
        WHERE c.workspace_id = $1 AND c.embedder = $2 AND c.chunk_id = ANY ($3::uuid[])${condition.sql}`,
      [this.space.workspaceId, this.space.embedder, chunkIds, ...condition.parameters],
    );
    return rows.map((it) => it.id);
  }

  /** Those of the `count` nearest codes of all that pass, and how far the last one of all is. A filter after the search, as an index of vectors has it. */
  async nearestThenFiltered(
    request: Pick<CodeRequest, 'filter' | 'only'>,
    count: number,
  ): Promise<{ passing: Candidate[]; scanned: number; last: Candidate | undefined }> {
    const condition = filterCondition(request.filter, 6);
    const rows = await this.statements.query<(Candidate & { passes: boolean })[]>(
      // Of the nearest alone, one by one: `OFFSET` keeps the planner from joining with the whole table.
      `SELECT n.chunk_id AS "chunkId", n.distance, f.passes FROM (
         SELECT c.chunk_id, ${DISTANCE} AS distance FROM retrieval_codes c WHERE c.workspace_id = $1 AND c.embedder = $2
          ORDER BY distance, c.chunk_id LIMIT $4
       ) n CROSS JOIN LATERAL (
         SELECT (true${condition.sql} AND ($5::uuid[] IS NULL OR c.chunk_id = ANY ($5::uuid[]))) AS passes
           FROM retrieval_codes c WHERE c.chunk_id = n.chunk_id OFFSET 0
       ) f ORDER BY n.distance, n.chunk_id`,
      [
        ...[this.space.workspaceId, this.space.embedder, bitsOf(this.probe), count],
        ...[request.only ?? null, ...condition.parameters],
      ],
    );
    return { passing: rows.filter((it) => it.passes), scanned: rows.length, last: rows.at(-1) };
  }
}
