import type { Embedder } from '@peregrine/retrieval';
import { Pool } from 'pg';

import { DIMENSIONS, MAX_NEIGHBOURS } from '../world/shape.ts';
import type { World } from '../world/world.ts';
import { migrate, openRetrieval, type OpenedRetrieval, type RetrievalInput } from './application.ts';
import { type LoadedWorld, loadWorld } from './load-world.ts';

/** A world in a database, and the library over it. */
export interface BenchWorld {
  readonly world: World;
  readonly loaded: LoadedWorld;
  readonly app: OpenedRetrieval;
  /** One connection that is not measured. It checks no foreign keys: what is loaded is known to be right. */
  readonly pool: Pool;
}

/** Questions come with their vectors: a text is never embedded. */
export const embedderOf = (id: string): Embedder => ({
  id,
  dimensions: DIMENSIONS,
  embed: () => Promise.reject(new Error('The bench asks by vector')),
});

/** Runs the work over a world in an empty database, and closes what it opened. */
export async function withBenchWorld<T>(
  url: string,
  world: World,
  options: RetrievalInput,
  work: (bench: BenchWorld) => Promise<T>,
): Promise<T> {
  await migrate(url);
  const pool = new Pool({
    connectionString: url,
    max: 1,
    options: '-c session_replication_role=replica -c synchronous_commit=off',
  });
  const embedder = embedderOf('bench');
  const loaded = await loadWorld(pool, world, embedder.id);
  const app = await openRetrieval(url, embedder, { maxNeighbours: MAX_NEIGHBOURS, ...options });
  try {
    return await work({ world, loaded, app, pool });
  } finally {
    await app.close();
    await pool.end();
  }
}

/** As after a write: nothing that was kept in memory is good any more, and the codes are there again. */
export async function forgetAndWarm({ app, loaded, pool, world }: BenchWorld): Promise<void> {
  const { workspaceId } = loaded;
  await pool.query('UPDATE retrieval_versions SET version = version + 1 WHERE workspace_id = $1', [
    workspaceId,
  ]);
  const vector = world.questions[0]?.vector ?? new Float32Array(DIMENSIONS).fill(1);
  await app.service.query(workspaceId, { vector, limit: 1, plan: 'cached-partial' });
}
