/** Whether the memory manager acts. */
export const MEMORY_MANAGER_ENABLED = Symbol('@peregrine/runtime:memory-manager-enabled');
