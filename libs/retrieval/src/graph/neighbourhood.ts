import { type Statements } from '../statements.js';

/** What two hops from the seeds reach. */
export interface Neighbourhood {
  /** Of each chunk, seeds included, the best product of the weights of a way from a seed; 1 for a seed. */
  readonly proximities: ReadonlyMap<string, number>;
  /** True when a hop had more edges than are walked: those of the smallest weights are missing. */
  readonly truncated: boolean;
}

interface EdgeRow {
  readonly source: string;
  readonly target: string;
  readonly weight: number;
}

export interface Walk {
  readonly workspaceId: string;
  readonly maxNeighbours: number;
}

/**
 * Walks two hops from the seeds, one statement each. At each hop the heaviest edges of a chunk are walked first, and as many as
 * its share of `maxNeighbours`: a hub with a million edges costs what any other chunk does.
 */
export async function walkNeighbourhood(
  statements: Statements,
  seeds: readonly string[],
  walk: Walk,
): Promise<Neighbourhood> {
  const proximities = new Map(seeds.map((it) => [it, 1]));
  const first = await followEdges(statements, seeds, walk);
  const reached = [...approach(proximities, first.edges)];
  const second = await followEdges(statements, reached, walk);
  approach(proximities, second.edges);
  return { proximities, truncated: first.truncated || second.truncated };
}

/** @returns the targets that were not there */
function approach(proximities: Map<string, number>, edges: readonly EdgeRow[]): Set<string> {
  // As they were before this hop: a way has no more edges than hops.
  const before = new Map(proximities);
  const added = new Set<string>();
  for (const { source, target, weight } of edges) {
    const proximity = (before.get(source) ?? 0) * weight;
    if (!before.has(target)) added.add(target);
    proximities.set(target, Math.max(proximities.get(target) ?? 0, proximity));
  }
  return added;
}

async function followEdges(
  statements: Statements,
  sources: readonly string[],
  { workspaceId, maxNeighbours }: Walk,
): Promise<{ edges: EdgeRow[]; truncated: boolean }> {
  if (sources.length === 0) return { edges: [], truncated: false };
  const limit = Math.max(1, Math.floor(maxNeighbours / sources.length));
  const rows = await statements.query<EdgeRow[]>(
    `SELECT s.id AS source, e.target_id AS target, e.weight
       FROM unnest($2::uuid[]) AS s (id) CROSS JOIN LATERAL (
         SELECT target_id, weight FROM retrieval_edges WHERE source_id = s.id AND workspace_id = $1
          ORDER BY weight DESC, target_id LIMIT $3
       ) e`,
    [workspaceId, sources, limit + 1],
  );
  const taken = new Map<string, number>();
  const edges = rows.filter(({ source }) => {
    const place = (taken.get(source) ?? 0) + 1;
    taken.set(source, place);
    return place <= limit;
  });
  return { edges, truncated: edges.length < rows.length };
}
