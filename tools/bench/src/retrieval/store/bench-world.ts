import { setTimeout as pause } from 'node:timers/promises';
import type { Embedder } from '@peregrine/retrieval';
import { Pool } from 'pg';

import { DIMENSIONS, MAX_NEIGHBOURS } from '../world/shape.ts';
import type { World } from '../world/world.ts';
import { migrate, openRetrieval, type OpenedRetrieval, type RetrievalInput } from './application.ts';
import { type LoadedWorld, loadWorld } from './load-world.ts';

const WAIT_MS = 20;

/** A world in a database. */
export interface StoredWorld {
  readonly url: string;
  readonly world: World;
  readonly loaded: LoadedWorld;
  /** One connection that is not measured. It checks no foreign keys: what is loaded is known to be right. */
  readonly pool: Pool;
}

/** The library over it. */
export interface BenchWorld extends StoredWorld {
  readonly app: OpenedRetrieval;
}

/** Questions come with their vectors: a text is never embedded. */
export const embedderOf = (id: string): Embedder => ({
  id,
  dimensions: DIMENSIONS,
  embed: () => Promise.reject(new Error('The bench asks by vector')),
});

/** Runs the work over a world in a database, which is empty before. */
export async function withStoredWorld<T>(
  url: string,
  world: World,
  work: (stored: StoredWorld) => Promise<T>,
): Promise<T> {
  await migrate(url);
  const options = '-c session_replication_role=replica -c synchronous_commit=off';
  const pool = new Pool({ connectionString: url, max: 1, options });
  try {
    return await work({ url, world, loaded: await loadWorld(pool, world, 'bench'), pool });
  } finally {
    await pool.end();
  }
}

/** Runs the work with the library as a process has it that has just begun, but for what it reads of the chunks by itself. */
export async function withLibrary<T>(
  stored: StoredWorld,
  options: RetrievalInput,
  work: (bench: BenchWorld) => Promise<T>,
): Promise<T> {
  const { url, loaded, world } = stored;
  const embedder = options.embedder ?? embedderOf(loaded.embedder);
  const app = await openRetrieval(url, embedder, { maxNeighbours: MAX_NEIGHBOURS, ...options });
  try {
    await warmUp(app, loaded, world.questions[0]?.vector ?? new Float32Array(DIMENSIONS).fill(1));
    return await work({ ...stored, app });
  } finally {
    await app.close();
  }
}

/** Until the codes are in memory, and the planner knows of the chunks. */
async function warmUp(
  app: OpenedRetrieval,
  { workspaceId }: LoadedWorld,
  vector: Float32Array,
): Promise<void> {
  const query = { vector, limit: 1, plan: 'cached-partial' } as const;
  while ((await app.service.query(workspaceId, query)).explanation.chooser === null) await pause(WAIT_MS);
}
