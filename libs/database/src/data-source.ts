import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';

import { parseDatabaseOptions, type DatabaseOptions, type DatabaseOptionsInput } from './database.options.js';
import { driverMessage } from './driver-errors.js';
import { untilConnected, type UntilConnectedOptions } from './until-connected.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

const logger = new Logger('Database');

/** A data source for tools and tests, not connected yet: see {@link connectDataSource}. Never synchronizes. */
export function createDataSource(input: DatabaseOptionsInput): DataSource {
  const dataSource: DataSource = new DataSource({
    ...typeOrmOptions(parseDatabaseOptions(input)),
    // A pool has ended before its last connection is closed: what happens to that one then is no news.
    poolErrorHandler: (error: Error) => {
      if (dataSource.isInitialized) warnOfLostConnection(error);
    },
  });
  return dataSource;
}

export function typeOrmOptions(options: DatabaseOptions): PostgresOptions {
  return {
    type: 'postgres',
    url: options.url,
    entities: [...options.entities],
    migrations: [...options.migrations],
    migrationsTransactionMode: 'each',
    synchronize: false,
    // Extensions are the migrations' business: an app's role must not need the right to create them.
    installExtensions: false,
    applicationName: options.applicationName,
    poolSize: options.poolMax,
    connectTimeoutMS: options.connectTimeoutMs,
    // An idle connection broke. The pool replaces it; without a handler the process would end.
    poolErrorHandler: warnOfLostConnection,
    extra: { statement_timeout: options.statementTimeoutMs, keepAlive: true },
    ...(options.driver && { driver: options.driver }),
    ...(options.resultCache && { cache: { provider: options.resultCache } }),
  };
}

function warnOfLostConnection(error: Error): void {
  logger.warn(`An idle connection was lost: ${driverMessage(error)}`);
}

/**
 * Connects, trying again until `startTimeoutMs` has passed.
 *
 * @throws {DatabaseUnavailableError} as {@link untilConnected}
 */
export function connectDataSource(
  dataSource: DataSource,
  options: UntilConnectedOptions,
): Promise<DataSource> {
  const { url = '' } = dataSource.options as PostgresOptions;
  return untilConnected(url, () => dataSource.initialize(), options);
}

/**
 * One round trip for a health check.
 *
 * @throws the driver's error, or `signal.reason` when that fires first
 */
export async function pingDatabase(dataSource: DataSource, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const answer = dataSource.query('SELECT 1');
  if (!signal) {
    await answer;
    return;
  }
  const listening = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const give = () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener('abort', give, { signal: listening.signal });
  });
  try {
    await Promise.race([answer, aborted]);
  } finally {
    listening.abort();
  }
}
