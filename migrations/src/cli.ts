import { createDataSource, revertMigration, runMigrations } from '@peregrine/database';
import { migrations } from './index.js';

/**
 * `node cli.js [revert]`: migrates the database of `DATABASE_URL`, or reverts the newest migration. This is what an
 * image runs; from a checkout `npm run migrate` finds the database by itself.
 */
const url = process.env['DATABASE_URL'];
if (!url) {
  console.error('DATABASE_URL is not set: expected postgres://user:password@host:port/database');
  process.exit(1);
}
const dataSource = createDataSource({ url, migrations, applicationName: 'peregrine-migrate' });
try {
  await dataSource.initialize();
  const onProgress = (message: string) => console.log(message);
  if (process.argv[2] === 'revert') {
    console.log(`Reverted: ${(await revertMigration(dataSource, { onProgress })) ?? 'nothing'}`);
  } else {
    const names = await runMigrations(dataSource, { onProgress });
    console.log(names.length > 0 ? `Migrated: ${names.join(', ')}` : 'The database is up to date');
  }
} catch (error) {
  console.error(`Migration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  if (dataSource.isInitialized) await dataSource.destroy();
}
