/** Cached entries that die with a change of the memories of a workspace. */
export const memoriesTag = (workspaceId: string) => `memories:${workspaceId}`;
