import { describe, expect, it } from '@jest/globals';
import { FolderStore, parseCacheOptions } from '@peregrine/cache';
import { S3Store } from '@peregrine/cache/s3';
import { allSettings, type FeatureFlags, loadSettings } from '@peregrine/config';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheOptions } from './cache-options.js';
import { contentOptions } from './content-options.js';

const REQUIRED = {
  DATABASE_URL: 'postgres://127.0.0.1/none',
  CURSOR_SECRET: 'c'.repeat(32),
  CACHE_OBJECT_FOLDER: join(tmpdir(), 'peregrine-unused-cache'),
};
const S3 = {
  CACHE_OBJECT_STORE: 's3',
  CACHE_OBJECT_S3_BUCKET: 'large-values',
  STORAGE_S3_ENDPOINT: 'http://127.0.0.1:9',
  STORAGE_S3_ACCESS_KEY_ID: 'id',
  STORAGE_S3_SECRET_ACCESS_KEY: 'secret',
};

const settingsOf = (environment: Record<string, string>) =>
  loadSettings(allSettings, { ...REQUIRED, ...environment });

/** As the cache parses them, so that a wrong one fails here. */
async function optionsOf(environment: Record<string, string> = {}) {
  const flags = { isEnabled: (...args: unknown[]) => args.join() === 'cacheEnabled,k,search' };
  const options = parseCacheOptions(cacheOptions(settingsOf(environment), flags as unknown as FeatureFlags));
  await options.objectStore?.store.close();
  return options;
}

describe('the options of the cache', () => {
  it('are those of the settings, with a folder for large values and no Redis unless one is named', async () => {
    const options = await optionsOf();
    expect(options).toMatchObject({ prefix: 'peregrine', memory: { maxEntries: 50_000, ttlMs: 60_000 } });
    expect(options.redis).toBeUndefined();
    expect(options.objectStore).toMatchObject({ minBytes: 1_048_576 });
    expect(options.objectStore?.store).toBeInstanceOf(FolderStore);
  });

  it('keep large values in a bucket of the storage server, or nowhere', async () => {
    expect((await optionsOf(S3)).objectStore?.store).toBeInstanceOf(S3Store);
    expect((await optionsOf({ CACHE_OBJECT_STORE: 'none' })).objectStore).toBeUndefined();
  });

  it('name sentinels, cluster or server', async () => {
    const redis = async (environment: Record<string, string>) => (await optionsOf(environment)).redis;
    expect(await redis({ REDIS_URL: 'redis://a' })).toMatchObject({ url: 'redis://a' });
    expect(await redis({ CACHE_REDIS_CLUSTER: 'redis://a:1' })).toMatchObject({
      cluster: { nodes: ['redis://a:1'] },
    });
    const sentinel = { CACHE_REDIS_SENTINELS: 'a:1', CACHE_REDIS_MASTER_NAME: 'm' };
    expect(await redis(sentinel)).toMatchObject({ sentinel: { nodes: [{ host: 'a', port: 1 }], name: 'm' } });
  });

  it('encrypt all namespaces or none', async () => {
    const key = Buffer.alloc(32, 1).toString('base64');
    for (const namespace of Object.values(
      (await optionsOf({ CACHE_ENCRYPTION_KEYS: `a:${key}` })).namespaces,
    )) {
      expect(namespace.encryption?.keys).toMatchObject([{ id: 'a' }]);
    }
    for (const namespace of Object.values((await optionsOf()).namespaces))
      expect(namespace.encryption).toBeUndefined();
  });

  it('ask the flag with namespace and key', async () => {
    const { enabled } = await optionsOf();
    expect([enabled?.('search', 'k'), enabled?.('content', 'k')]).toEqual([true, false]);
  });
});

describe('large files', () => {
  const bound = (environment: Record<string, string>) =>
    contentOptions(settingsOf(environment)).cachePiecesUpToBytes;

  it('pass through the cache only where its folder is nearer than the storage', () => {
    const bucket = { STORAGE_DRIVER: 's3', STORAGE_S3_BUCKET: 'files' };
    expect(bound(bucket)).toBe(104_857_600);
    expect(bound({ STORAGE_READ_LATENCY_MS: '1' })).toBe(104_857_600);
    expect([
      bound({}),
      bound({ ...bucket, ...S3 }),
      bound({ ...bucket, CACHE_OBJECT_STORE: 'none' }),
    ]).toEqual([0, 0, 0]);
  });
});
