import { type EntityManager } from 'typeorm';

/** So many neighbours, whichever they are by their random ids, say how large two hops are. */
const SAMPLED_NEIGHBOURS = 32;
/** So many neighbours of changed chunks are told, at most: the ends of a hub's edges stay as they are, which is good enough for an estimate. */
const TOLD_NEIGHBOURS = 256;

/** Counts the edges of chunks whose edges have changed, and estimates anew how many chunks two hops reach from them and their neighbours. */
export async function countDegrees(manager: EntityManager, chunkIds: readonly string[]): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_degrees AS d (chunk_id, degree, two_hop_size)
     SELECT k.id, count(DISTINCT e.target_id), 0
       FROM retrieval_chunks k LEFT JOIN retrieval_edges e ON e.source_id = k.id
      WHERE k.id = ANY ($1::uuid[]) GROUP BY 1 ORDER BY 1
     ON CONFLICT (chunk_id) DO UPDATE SET degree = excluded.degree WHERE d.degree <> excluded.degree`,
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
    [await withNeighbours(manager, chunkIds)],
  );
}

/** Asked for by itself: PostgreSQL plans the update by how many there are. */
async function withNeighbours(manager: EntityManager, chunkIds: readonly string[]): Promise<string[]> {
  const neighbours = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT n.target_id AS id FROM unnest($1::uuid[]) AS t (id) CROSS JOIN LATERAL (
       SELECT e.target_id FROM retrieval_edges e WHERE e.source_id = t.id ORDER BY e.target_id LIMIT ${SAMPLED_NEIGHBOURS}
     ) n LIMIT ${TOLD_NEIGHBOURS}`,
    [chunkIds],
  );
  return [...new Set([...chunkIds, ...neighbours.map((it) => it.id)])];
}
