export { cacheContract, type CacheLike, type CacheLikeOptions, type OpenedCache } from './cache-contract.js';
export { Chaos, ChaosError, chaosLoader, type ChaosFaults } from './chaos.js';
export { chaosObjectStore } from './chaos-object-store.js';
export { ChaosProxy, type ChaosConnections, type ChaosDirection } from './chaos-proxy.js';
export type { ContractCase } from './contract.js';
export { FakeClock } from './fake-clock.js';
export { objectStoreContract, type MakeObjectStore } from './object-store-contract.js';
export { memoryTierContract, type MakeMemoryStore, type MemoryStore } from './memory-contract.js';
export type { ChaosRange } from './random.js';
