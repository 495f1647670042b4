import type { DataSource } from 'typeorm';

/** All attempts together. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface MigrationOptions {
  readonly databaseUrl: string;
  readonly onProgress?: (message: string) => void;
  /** Gets each failed attempt to connect; what it throws ends the attempts. */
  readonly onRetry: (message: string) => void;
}

/** @returns the names of the migrations that ran now, oldest first */
export function migrate(options: MigrationOptions): Promise<string[]> {
  return withDataSource(options, async (dataSource, progress) => {
    const { runMigrations } = await import('@peregrine/database');
    return runMigrations(dataSource, progress);
  });
}

/** @returns the name of the migration that was taken back; null when there was none */
export function revert(options: MigrationOptions): Promise<string | null> {
  return withDataSource(options, async (dataSource, progress) => {
    const { revertMigration } = await import('@peregrine/database');
    return revertMigration(dataSource, progress);
  });
}

async function withDataSource<T>(
  { databaseUrl, onProgress, onRetry }: MigrationOptions,
  work: (dataSource: DataSource, progress: { onProgress?: (message: string) => void }) => Promise<T>,
): Promise<T> {
  const [{ connectDataSource, createDataSource }, { migrations }] = await Promise.all([
    import('@peregrine/database'),
    import('@peregrine/migrations'),
  ]);
  const dataSource = createDataSource({ url: databaseUrl, migrations, applicationName: 'peregrine-migrate' });
  try {
    await connectDataSource(dataSource, { startTimeoutMs: CONNECT_TIMEOUT_MS, onRetry });
    return await work(dataSource, onProgress ? { onProgress } : {});
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
