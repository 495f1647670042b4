export { CacheModule } from './cache.module.js';
export { Cache } from './cache.service.js';
export { createCache } from './create-cache.js';
export { CacheNamespace, type CacheManyOptions, type CacheWrapOptions } from './cache-namespace.js';
export type { CacheEntryOptions, CacheLoadOptions } from './loads/settings.js';
export type { CacheBatchLoader, CacheLoader, LoaderContext, StaleValue, Validators } from './loads/loader.js';
export {
  parseCacheOptions,
  type CacheOptions,
  type CacheOptionsInput,
  type LoadOptions,
  type NamespaceOptions,
  type NamespaceOptionsInput,
  type RedisOptions,
  type TierName,
} from './cache.options.js';
export {
  CacheClosedError,
  CacheError,
  CacheLoadAbandonedError,
  CacheLoaderError,
  CacheLoadTimeoutError,
  CacheOptionsError,
  InvalidKeyError,
  InvalidTagsError,
  InvalidTtlError,
  InvalidWeightError,
  ObjectMetadataError,
  ObjectStoreError,
  ObjectStoreFullError,
  ObjectTooLargeError,
  UnknownNamespaceError,
} from './cache.errors.js';
export { CACHE_OPTIONS } from './cache.tokens.js';
export { type CacheClock, type ClockTimer, systemClock } from './clock.js';
export {
  MemoryTier,
  type MemorySetOptions,
  type MemoryTierOptions,
  type RemovalReason,
} from './memory/memory-tier.js';
export type {
  CacheStatistics,
  CacheSummary,
  LoadStatistics,
  MemoryStatistics,
  MetricFamily,
  MetricSample,
  NamespaceStatistics,
  ObjectStoreStatistics,
  RecentHitRates,
  RedisStatistics,
  TierStatistics,
} from './statistics/statistics.js';
export { bindCache, currentLoad } from './nest/cached-method.js';
export {
  CacheHealthIndicator,
  type CacheHealth,
  type CacheHealthCheck,
  type CacheHealthOptions,
} from './nest/cache-health.indicator.js';
export type { CacheFeature, CacheFeatures } from './nest/cache-features.js';
export { getCacheNamespaceToken, InjectCache } from './nest/inject-cache.js';
export {
  Cacheable,
  CacheEvict,
  CachePut,
  type CacheableOptions,
  type CacheEvictOptions,
  type CachePutOptions,
} from './nest/decorators.js';
export {
  CACHE_CHANNELS,
  CACHE_LOAD_CHANNEL,
  CACHE_READ_CHANNEL,
  onCacheEvent,
  type CacheEventName,
  type CacheEvents,
  type CacheLoadEvent,
  type CacheReadEvent,
} from './events/events.js';
export { CacheDecoratorError, CacheKeyError, CacheNotInjectedError } from './cache.errors.js';
export { FolderStore } from './object-store/folder/folder-store.js';
export type { FolderStoreOptions } from './object-store/folder/folder-store.options.js';
export {
  assertObjectMetadata,
  KEPT_PREFIX,
  MAX_METADATA_BYTES,
  type FoundObject,
  type ObjectGetOptions,
  type ObjectHead,
  type ObjectMetadata,
  type ObjectPutOptions,
  type ObjectStore,
  type ObjectStoreStatistics as ObjectStoreFigures,
} from './object-store/object-store.js';
