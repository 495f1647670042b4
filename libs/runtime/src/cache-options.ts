import { type CacheOptionsInput, FolderStore, type NamespaceOptionsInput } from '@peregrine/cache';
import { S3Store } from '@peregrine/cache/s3';
import { cacheRedisOf, type FeatureFlags } from '@peregrine/config';
import { resolve } from 'node:path';
import { type Settings } from './settings.js';
import { s3ConnectionOf } from './content-options.js';

const MINUTE_MS = 60_000;

/** An entry that is asked for renews itself shortly before its end; entries that were made together end apart. */
const RENEWED = { earlyRefresh: 1, jitter: 0.1 } as const;

/**
 * The namespaces of the platform, with the life times of the library's ready ones. No value is served past its time
 * (`staleWhileRevalidateMs`): the time is what bounds a change that no invalidation told of.
 */
const NAMESPACES = {
  default: { ttlMs: 60 * MINUTE_MS, ...RENEWED },
  content: { ttlMs: 60 * MINUTE_MS, ...RENEWED },
  // Dear to make: one process searches, the others wait for it. When it dies, they wait no longer than the lease.
  search: { ttlMs: 30 * MINUTE_MS, ...RENEWED, singleFlight: 'cluster', leaseMs: 2_000 },
  query: { ttlMs: 5 * MINUTE_MS, ...RENEWED },
  access: { ttlMs: MINUTE_MS },
  // Never renewed early: what they cost is money. Their life times come with each call.
  ai: { ttlMs: 60 * MINUTE_MS },
  'ai-embeddings': { ttlMs: 7 * 24 * 60 * MINUTE_MS },
  // Replies on their way, for other processes: in this one they are anyway.
  'ai-live': { ttlMs: MINUTE_MS, tiers: ['redis'] },
} satisfies Record<string, NamespaceOptionsInput>;

/** The options of the cache, from the settings and the flag that switches it. */
export function cacheOptions(settings: Settings, flags: FeatureFlags): CacheOptionsInput {
  const { cache } = settings;
  const redis = cacheRedisOf(settings);
  const store = openObjectStore(settings);
  const encryption = cache.encryptionKeys && {
    encryption: { keys: cache.encryptionKeys as [EncryptionKey, ...EncryptionKey[]] },
  };
  const namespaces = Object.entries(NAMESPACES).map(([name, it]) => [name, { ...it, ...encryption }]);
  return {
    prefix: cache.prefix,
    memory: { maxBytes: cache.memoryBytes, maxEntries: cache.memoryEntries, ttlMs: cache.memoryTtlMs },
    ...(redis && { redis: { ...redis, timeoutMs: cache.redisTimeoutMs } }),
    ...(store && { objectStore: { store, minBytes: cache.objectMinBytes } }),
    namespaces: Object.fromEntries(namespaces) as Record<string, NamespaceOptionsInput>,
    enabled: (namespace, key) => flags.isEnabled('cacheEnabled', key, namespace),
  };
}

type EncryptionKey = NonNullable<Settings['cache']['encryptionKeys']>[number];

function openObjectStore({ cache, storage }: Settings) {
  if (cache.objectStore === 'none') return undefined;
  if (cache.objectStore === 'folder') {
    return new FolderStore({ path: resolve(cache.objectFolder), maxBytes: cache.objectMaxBytes });
  }
  // The rule of the settings: the store s3 has a bucket.
  const bucket = cache.objectBucket ?? '';
  const { accessKeyId, secretAccessKey, ...connection } = s3ConnectionOf(storage);
  const credentials = accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {};
  return new S3Store({ bucket, prefix: cache.objectPrefix, ...connection, ...credentials });
}
