import { type EntityManager } from 'typeorm';

/** Among the advisory locks of the database, those of a workspace's chunks. */
const LOCKS = 0x7265_7472;

/** Writers of a workspace's chunks and edges come one after the other, until the end of the transaction: they touch each other's rows. */
export async function lockWorkspace(manager: EntityManager, workspaceId: string): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', [workspaceId, LOCKS]);
}

/** Says in the current transaction that what was kept of the workspace is out of date. */
export async function raiseVersion(manager: EntityManager, workspaceId: string): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_versions AS v (workspace_id, version) VALUES ($1, 1)
     ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1`,
    [workspaceId],
  );
}
