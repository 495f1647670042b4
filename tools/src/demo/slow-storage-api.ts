import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { ROOT } from '../paths.ts';
import { AppProcess } from '../platform/app-process.ts';
import { describeEnvironment } from '../platform/environment.ts';
import type { DevFile } from '../platform/dev-file.ts';
import { LogFile } from '../platform/log-file.ts';

/**
 * One more api on the same database and storage, with a cold cache of its own and a storage that takes
 * `readLatencyMs` longer: what a cache saves shows only before something slow.
 */
export async function startSlowStorageApi(
  dev: DevFile,
  dataFolder: string,
  readLatencyMs: number,
): Promise<AppProcess> {
  const environment = describeEnvironment({
    environment: process.env,
    services: dev,
    folder: { storage: join(dataFolder, 'storage'), cache: join(dataFolder, 'cache') },
    // Its cursors are its own; the keys of the platform are in the database.
    secrets: { cursorSecret: randomBytes(32).toString('hex'), adminKey: dev.adminKey },
  });
  return AppProcess.start({
    name: 'slow-storage-api',
    script: join(ROOT, 'apps/api/dist/main.js'),
    environment: {
      ...environment,
      PORT: '0',
      STORAGE_READ_LATENCY_MS: String(readLatencyMs),
      CACHE_PREFIX: `demo-${randomBytes(6).toString('hex')}`,
      // What it measures is memory and Redis, and nothing of it should stay.
      CACHE_OBJECT_STORE: 'none',
      SHUTDOWN_DRAIN_MS: '0',
    },
    log: new LogFile(join(dataFolder, 'logs', 'slow-storage-api.log')),
    show: () => undefined,
    stopTimeoutMs: 10_000,
    signal: new AbortController().signal,
    force: new AbortController().signal,
  });
}
