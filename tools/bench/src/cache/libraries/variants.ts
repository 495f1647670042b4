import type { OpenOptions, Subject } from './contract.ts';

/** One library in one configuration. */
export interface Variant {
  /** Row of the tables. */
  readonly name: string;
  /** What it is compared in. */
  readonly suites: readonly Suite[];
  /** Hits are answered without a promise. @default false */
  readonly isSync?: boolean;
  /** Imports the library, and only this one. */
  readonly open: (options: OpenOptions) => Promise<Subject>;
}

/** `memory`: in one process. `redis`: two tiers. `stampede`, `correctness`: what has loads at all. */
export type Suite = 'memory' | 'redis' | 'dead-redis' | 'stampede' | 'correctness';

/** All of them by a short id, the floor first and ours before its peers. */
export const VARIANTS = {
  map: {
    name: 'Map (floor: no limit, no expiry)',
    suites: ['memory'],
    isSync: true,
    open: async () => (await import('./map.ts')).openMap(),
  },
  'raw-json': {
    name: 'ioredis GET + JSON.parse (no cache)',
    suites: ['redis'],
    open: async (options) => (await import('./raw-redis.ts')).openRawRedis(options, 'json'),
  },
  'raw-msgpack': {
    name: 'ioredis GET + msgpackr (no cache)',
    suites: ['redis'],
    open: async (options) => (await import('./raw-redis.ts')).openRawRedis(options, 'msgpack'),
  },
  peregrine: {
    name: 'peregrine',
    suites: ['memory', 'redis', 'dead-redis', 'stampede', 'correctness'],
    open: async (options) => (await import('./peregrine.ts')).openPeregrine(options),
  },
  'peregrine-tags': {
    name: 'peregrine + 3 tags',
    suites: ['memory', 'redis'],
    open: async (options) => (await import('./peregrine.ts')).openPeregrine({ ...options, withTags: true }),
  },
  'peregrine-tier': {
    name: 'peregrine MemoryTier (sync)',
    suites: ['memory'],
    isSync: true,
    open: async (options) => (await import('./peregrine.ts')).openMemoryTier(options),
  },
  'lru-cache': {
    name: 'lru-cache (sync, ttl)',
    suites: ['memory'],
    isSync: true,
    open: async (options) => (await import('./lru-cache.ts')).openLruCache(options),
  },
  'lru-cache-fetch': {
    name: 'lru-cache fetch',
    suites: ['memory', 'stampede', 'correctness'],
    open: async (options) => (await import('./lru-cache.ts')).openLruCacheFetch(options),
  },
  'layered-loader-sync': {
    name: 'layered-loader (sync path)',
    suites: ['memory'],
    isSync: true,
    open: async (options) =>
      (await import('./layered-loader.ts')).openLayeredLoader(options, { isSync: true }),
  },
  'layered-loader': {
    name: 'layered-loader',
    suites: ['memory', 'redis', 'dead-redis', 'stampede', 'correctness'],
    open: async (options) => (await import('./layered-loader.ts')).openLayeredLoader(options),
  },
  'cache-manager': {
    name: 'cache-manager',
    suites: ['memory', 'redis', 'dead-redis', 'stampede', 'correctness'],
    open: async (options) => (await import('./cache-manager.ts')).openCacheManager(options),
  },
  cacheable: {
    name: 'cacheable',
    suites: ['memory', 'redis', 'dead-redis', 'stampede', 'correctness'],
    open: async (options) => (await import('./cacheable.ts')).openCacheable(options),
  },
  'cacheable-no-clone': {
    name: 'cacheable (useClone: false)',
    suites: ['memory'],
    open: async (options) => (await import('./cacheable.ts')).openCacheable(options, { useClone: false }),
  },
  bentocache: {
    name: 'bentocache',
    suites: ['memory', 'redis', 'dead-redis', 'stampede', 'correctness'],
    open: async (options) => (await import('./bentocache.ts')).openBentocache(options),
  },
  'bentocache-no-serialize': {
    name: 'bentocache (serialize: false)',
    suites: ['memory'],
    open: async (options) => (await import('./bentocache.ts')).openBentocache(options, { serialize: false }),
  },
  'bentocache-tags': {
    name: 'bentocache (serialize: false) + 3 tags',
    suites: ['memory'],
    open: async (options) =>
      (await import('./bentocache.ts')).openBentocache({ ...options, withTags: true }, { serialize: false }),
  },
} as const satisfies Record<string, Variant>;

export type VariantId = keyof typeof VARIANTS;

/** The variant with the type that all share. */
export const variantOf = (id: VariantId): Variant => VARIANTS[id];

/** In the order of the tables. */
export const variantsOf = (suite: Suite): VariantId[] =>
  (Object.keys(VARIANTS) as VariantId[]).filter((id) => variantOf(id).suites.includes(suite));
