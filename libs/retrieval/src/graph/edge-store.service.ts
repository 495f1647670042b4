import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { type EntityManager } from 'typeorm';
import { raiseVersion } from '../chunks/workspace-version.js';
import { ChunkNotFoundError } from '../retrieval.errors.js';

/** A link of two chunks; it is walked in both directions. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** What links them, such as `link` or `neighbour`. */
  readonly type: string;
  /** Over 0, up to 1: how near the one makes the other. */
  readonly weight: number;
}

/** So many neighbours, whichever they are by their random ids, say how large two hops are. */
const SAMPLED_NEIGHBOURS = 32;

/** Keeps the graph of the chunks. */
@Injectable()
export class EdgeStore {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Adds edges; one that is there gets the new weight.
   *
   * @throws {ChunkNotFoundError} when an end is not in the workspace; nothing was stored
   */
  async link(workspaceId: string, edges: readonly Edge[]): Promise<void> {
    const ends = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
    await this.transactions.run(async (manager) => {
      await assertChunks(manager, workspaceId, ends);
      await manager.query(
        `INSERT INTO retrieval_edges (source_id, target_id, type, workspace_id, weight)
         SELECT least(a, b), greatest(a, b), type, $1::uuid, max(weight)
           FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::real[]) AS t (a, b, type, weight) GROUP BY 1, 2, 3
         UNION ALL
         SELECT greatest(a, b), least(a, b), type, $1::uuid, max(weight)
           FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::real[]) AS t (a, b, type, weight) GROUP BY 1, 2, 3
         ORDER BY 1, 2, 3
         ON CONFLICT (source_id, target_id, type) DO UPDATE SET weight = excluded.weight`,
        [workspaceId, ...columnsOf(edges)],
      );
      await countDegrees(manager, ends);
      await raiseVersion(manager, workspaceId);
    });
  }
}

function columnsOf(edges: readonly Edge[]): unknown[] {
  return [
    edges.map((it) => it.from),
    edges.map((it) => it.to),
    edges.map((it) => it.type),
    edges.map((it) => it.weight),
  ];
}

async function assertChunks(
  manager: EntityManager,
  workspaceId: string,
  ids: readonly string[],
): Promise<void> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM retrieval_chunks WHERE workspace_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR KEY SHARE`,
    [workspaceId, ids],
  );
  const known = new Set(rows.map((it) => it.id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new ChunkNotFoundError(workspaceId, unknown);
}

/** Of the ends of new edges alone: their neighbours' sizes are as old as their own latest edge, good enough for an estimate. */
async function countDegrees(manager: EntityManager, chunkIds: readonly string[]): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_degrees (chunk_id, degree, two_hop_size)
     SELECT source_id, count(DISTINCT target_id), 0 FROM retrieval_edges
      WHERE source_id = ANY ($1::uuid[]) GROUP BY 1 ORDER BY 1
     ON CONFLICT (chunk_id) DO UPDATE SET degree = excluded.degree`,
    [chunkIds],
  );
  await manager.query(
    `UPDATE retrieval_degrees d SET two_hop_size = least(d.degree * (1 + s.further), 2000000000)::integer
       FROM (SELECT t.id, (SELECT coalesce(avg(n.degree - 1), 0)
                             FROM (SELECT e.target_id FROM retrieval_edges e WHERE e.source_id = t.id
                                    ORDER BY e.target_id LIMIT ${SAMPLED_NEIGHBOURS}) sample
                             JOIN retrieval_degrees n ON n.chunk_id = sample.target_id) AS further
               FROM unnest($1::uuid[]) AS t (id)) s
      WHERE d.chunk_id = s.id`,
    [chunkIds],
  );
}
