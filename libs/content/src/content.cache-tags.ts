/** Cached entries that die with a change of the workspace itself, its grants, or its whole content. */
export const workspaceTag = (workspaceId: string) => `workspace:${workspaceId}`;

/** Cached entries that were made from one file's row. */
export const fileTag = (fileId: string) => `file:${fileId}`;

/** Cached search results of one workspace. */
export const searchTag = (workspaceId: string) => `search:${workspaceId}`;
