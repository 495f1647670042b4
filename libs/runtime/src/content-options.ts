import { type ContentModuleOptions } from '@peregrine/content';
import { resolve } from 'node:path';
import { type Settings } from './settings.js';

/** C7: no larger file passes through the cache, bytes. */
const CACHED_FILE_MAX_BYTES = 100 * 1_048_576;

/** The options of the workload, from the settings. */
export function contentOptions({
  storage,
  security,
  queue,
  cache,
  content,
  http,
}: Settings): ContentModuleOptions {
  // Worth its room only where the object tier is nearer than the storage.
  const isNearer = cache.objectStore === 'folder' && (storage.driver === 's3' || storage.readLatencyMs > 0);
  return {
    cursorSecret: security.cursorSecret,
    sweepIntervalMs: queue.sweepIntervalMs,
    cachePiecesUpToBytes: isNearer ? CACHED_FILE_MAX_BYTES : 0,
    convertInTaskFromBytes: content.convertTaskBytes,
    convertMaxBytes: content.convertMaxBytes,
    conversionThreads: content.convertThreads,
    conversionTimeoutMs: content.convertTimeoutMs,
    sync: {
      roots: content.syncRoots ?? [],
      buckets: content.syncBuckets ?? [],
      ...(content.syncBuckets && { s3: s3ConnectionOf(storage) }),
      concurrency: content.syncConcurrency,
      limitBytes: http.uploadLimitBytes,
    },
    storage: {
      driver: storage.driver,
      folder: { root: resolve(storage.folder) },
      ...(storage.s3Bucket ? { s3: { bucket: storage.s3Bucket, ...s3ConnectionOf(storage) } } : {}),
      databaseMaxBytes: storage.databaseMaxBytes,
      readLatencyMs: storage.readLatencyMs,
    },
  };
}

/** The S3 server, without a bucket: storage and cache share it. */
export function s3ConnectionOf(storage: Settings['storage']) {
  return {
    region: storage.s3Region,
    forcePathStyle: storage.s3ForcePathStyle,
    ...(storage.s3Endpoint ? { endpoint: storage.s3Endpoint } : {}),
    ...(storage.s3AccessKeyId ? { accessKeyId: storage.s3AccessKeyId } : {}),
    ...(storage.s3SecretAccessKey ? { secretAccessKey: storage.s3SecretAccessKey } : {}),
  };
}
