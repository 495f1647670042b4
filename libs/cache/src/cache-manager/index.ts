export { createCacheManager, type CacheManagerOptions } from './cache-manager.js';
export { CacheManagerModule } from './cache-manager.module.js';
export { createKeyv, PeregrineKeyvStore } from './keyv-store.js';
