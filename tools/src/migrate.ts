import { build } from './build.ts';
import { parseOptions, runCommand } from './command-line.ts';
import { listenForInterrupt } from './interrupt.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder } from './paths.ts';
import { DataFolder, devFileIn } from './platform/data-folder.ts';
import { migrate, revert } from './platform/database-migrations.ts';
import { readDevFile } from './platform/dev-file.ts';
import { Services } from './platform/services.ts';
import { type Reporter, TerminalReporter } from './reporter.ts';
import { DataFolderError } from './tools.errors.ts';

const HELP = `Usage: npm run migrate -- [options]

Migrates the database of DATABASE_URL; without it the embedded PostgreSQL of the data folder, which is started for
the time when it does not run.

  --revert         take the newest migration back (npm run migrate:revert)
  --data <folder>  data folder of the embedded PostgreSQL (default: .peregrine)
  --no-build       use what was built before
  --help           this text`;

await runCommand(async () => {
  const { values } = parseOptions('npm run migrate --', {
    allowNegative: true,
    options: {
      revert: { type: 'boolean', default: false },
      data: { type: 'string' },
      build: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const reporter = new TerminalReporter();
  if (values.build) await reporter.step('Build', () => build());
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  await withDatabase(dataFolder, reporter, (databaseUrl) => run(databaseUrl, reporter, values.revert));
});

async function run(databaseUrl: string, reporter: Reporter, isRevert: boolean): Promise<void> {
  const onProgress = (message: string) => reporter.print(message);
  const onRetry = (message: string) => reporter.warn(message);
  if (isRevert) {
    console.log(
      `Reverted: ${(await revert({ databaseUrl, onProgress, onRetry })) ?? 'nothing, no migration is left'}`,
    );
    return;
  }
  const names = await migrate({ databaseUrl, onProgress, onRetry });
  console.log(names.length === 0 ? 'The database is up to date' : `Migrated: ${names.join(', ')}`);
}

async function withDatabase(
  dataFolder: string,
  reporter: Reporter,
  work: (databaseUrl: string) => Promise<void>,
): Promise<void> {
  const given = process.env['DATABASE_URL'];
  if (given) return work(given);
  if (await DataFolder.isInUse(dataFolder)) {
    const running = await readDevFile(devFileIn(dataFolder));
    if (!running)
      throw new DataFolderError(`A platform on ${dataFolder} is just starting: try again in a moment.`);
    return work(running.databaseUrl);
  }
  return withOwnServer(dataFolder, reporter, work);
}

/** An interrupt lets the migration finish: it is short, and half of one is what nobody wants. */
async function withOwnServer(
  dataFolder: string,
  reporter: Reporter,
  work: (databaseUrl: string) => Promise<void>,
): Promise<void> {
  const interrupt = listenForInterrupt();
  const folder = await DataFolder.open(dataFolder);
  try {
    const services = await Services.provide({
      environment: process.env,
      postgresFolder: folder.postgres,
      logFolder: folder.logs,
      reporter,
    });
    try {
      await work(services.databaseUrl);
    } finally {
      await services.stop();
    }
  } finally {
    await folder.close();
    interrupt.dispose();
  }
}
