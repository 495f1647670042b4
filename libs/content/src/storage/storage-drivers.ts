import { FolderStorage } from './folder-storage.js';
import { LatencyStorage } from './latency-storage.js';
import { PostgresStorage, type StorageDatabase } from './postgres-storage.js';
import { S3Storage } from './s3-storage.js';
import type { StorageDriver, StorageDriverName } from './storage-driver.js';
import type { StorageOptions } from './storage.options.js';

/** Every driver that is set up, by its name. */
export type StorageDrivers = ReadonlyMap<StorageDriverName, StorageDriver>;

/**
 * Makes the drivers that the options name; the database is always one of them. Nothing is opened yet.
 *
 * @param database a TypeORM `DataSource`; the table `storage_objects` comes with the migrations
 */
export function createStorageDrivers(options: StorageOptions, database: StorageDatabase): StorageDrivers {
  const drivers: StorageDriver[] = [new PostgresStorage(database)];
  if (options.folder) drivers.push(new FolderStorage(options.folder));
  if (options.s3) drivers.push(new S3Storage(options.s3));
  const { readLatencyMs } = options;
  return new Map(
    drivers.map((it) => [it.name, readLatencyMs > 0 ? new LatencyStorage(it, { readLatencyMs }) : it]),
  );
}
