import { ChunkNotFoundError } from '../retrieval.errors.js';
import { type Statements } from '../statements.js';

/** What a query knows before it looks for anything. */
export interface SearchStart {
  /** Of the workspace, as a decimal number. Taken before anything that is kept is read. */
  readonly version: string;
  /** How many chunks two hops from the seeds reach, by degrees that were sampled when edges came; 0 without seeds. */
  readonly expectedSize: number;
}

/**
 * The version of the workspace and the seeds' sizes, in one statement.
 *
 * @throws {ChunkNotFoundError} for a seed that the workspace does not have
 */
export async function readSearchStart(
  statements: Statements,
  workspaceId: string,
  seeds: readonly string[],
): Promise<SearchStart> {
  const rows = await statements.query<{ version: string; id: string | null; size: number }[]>(
    `SELECT coalesce(v.version, 0)::text AS version, c.id, coalesce(d.two_hop_size, 0) AS size
       FROM (SELECT $1::uuid AS workspace_id) w
       LEFT JOIN retrieval_versions v ON v.workspace_id = w.workspace_id
       LEFT JOIN retrieval_chunks c ON c.workspace_id = w.workspace_id AND c.id = ANY ($2::uuid[])
       LEFT JOIN retrieval_degrees d ON d.chunk_id = c.id`,
    [workspaceId, seeds],
  );
  const known = new Set(rows.map((it) => it.id));
  const unknown = seeds.filter((it) => !known.has(it));
  if (unknown.length > 0) throw new ChunkNotFoundError(workspaceId, unknown);
  return {
    version: rows[0]?.version ?? '0',
    expectedSize: seeds.length === 0 ? 0 : rows.reduce((sum, it) => sum + it.size, seeds.length),
  };
}
