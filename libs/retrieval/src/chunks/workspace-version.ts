import { type EntityManager } from 'typeorm';

/** Says in the current transaction that what was kept of the workspace is out of date. Writers of a workspace come one after another here. */
export async function raiseVersion(manager: EntityManager, workspaceId: string): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_versions AS v (workspace_id, version) VALUES ($1, 1)
     ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1`,
    [workspaceId],
  );
}
