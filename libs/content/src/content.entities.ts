import { WorkspaceFile } from './files/file.entity.js';
import { StorageSync } from './sync/storage-sync.entity.js';
import { Workspace } from './workspaces/workspace.entity.js';

/** What the data source must know for the services of this library. */
export const contentEntities = [Workspace, WorkspaceFile, StorageSync] as const;
