import { type EntityManager } from 'typeorm';

/** Says in the current transaction that what was kept of the workspace is out of date. Writers of a workspace come one after another here. */
export async function raiseVersion(manager: EntityManager, workspaceId: string): Promise<void> {
  await manager.query(
    `INSERT INTO retrieval_versions AS v (workspace_id, version) VALUES ($1, 1)
     ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1`,
    [workspaceId],
  );
}

/** As a decimal number. To be taken before what is kept is read. */
export async function currentVersion(manager: EntityManager, workspaceId: string): Promise<string> {
  const [row] = await manager.query<{ version: string }[]>(
    'SELECT version::text FROM retrieval_versions WHERE workspace_id = $1',
    [workspaceId],
  );
  return row?.version ?? '0';
}
