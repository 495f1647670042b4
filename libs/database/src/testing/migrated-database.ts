import { createDataSource } from '../data-source.js';
import { type DatabaseOptionsInput } from '../database.options.js';
import { runMigrations } from '../migrations.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/**
 * A database for one test file with the tables of these migrations.
 *
 * @param baseUrl as for {@link createTestDatabase}
 * @throws {TestDatabaseUrlError} without a url
 */
export async function createMigratedDatabase(
  baseUrl: string | undefined,
  migrations: DatabaseOptionsInput['migrations'],
): Promise<TestDatabase> {
  const database = await createTestDatabase(baseUrl);
  const dataSource = createDataSource({ url: database.url, migrations });
  try {
    await dataSource.initialize();
    await runMigrations(dataSource);
  } catch (error) {
    await database.drop();
    throw error;
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
  return database;
}
