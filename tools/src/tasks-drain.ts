import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { build } from './build.ts';
import { INTERRUPTED_EXIT_CODE, parseOptions, parseWholeNumber, runCommand } from './command-line.ts';
import { type Interrupt, listenForInterrupt } from './interrupt.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder, ROOT } from './paths.ts';
import { DataFolder, devFileIn } from './platform/data-folder.ts';
import { migrate } from './platform/database-migrations.ts';
import { readDevFile } from './platform/dev-file.ts';
import { assertEnvironmentIsValid, describeEnvironment } from './platform/environment.ts';
import { loadSecrets } from './platform/secrets.ts';
import { Services } from './platform/services.ts';
import { type Reporter, TerminalReporter } from './reporter.ts';
import { DataFolderError } from './tools.errors.ts';

const HELP = `Usage: npm run tasks:drain -- [options]

Processes what is pending in the task queue, with the handlers of the worker, then ends: on the platform that "npm start"
runs on the data folder, beside its workers; else on the servers of DATABASE_URL and REDIS_URL, which are started for the
time where no address is given, as "npm start" does. Tasks that tasks submit meanwhile belong to it.

  --delayed-within <seconds>  also waits for delayed tasks, retries among them, that are due within this time (default: 60)
  --timeout <seconds>         gives up after this time
  --data <folder>             data folder of the platform (default: .peregrine)
  --no-build                  use what was built before
  --help                      this text

Exit code 0: nothing is left but what is delayed for longer. 1: a task failed for good in this process (it is among the
dead letters), the time is up, the queue is paused, or it could not be done. 130: Ctrl-C; what ran to its end is done,
the rest is given back to the queue.`;

const options = {
  'delayed-within': { type: 'string' },
  timeout: { type: 'string' },
  data: { type: 'string' },
  build: { type: 'boolean', default: true },
  help: { type: 'boolean', default: false },
} as const;

/** A month. */
const MAX_SECONDS = 2_592_000;

await runCommand(async () => {
  const { values } = parseOptions('npm run tasks:drain --', { options, allowNegative: true });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const args = [
    ...milliseconds('delayed-within', values['delayed-within'], 0),
    ...milliseconds('timeout', values.timeout, 1),
  ];
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  const reporter = new TerminalReporter();
  const interrupt = listenForInterrupt();
  try {
    if (values.build) await reporter.step('Build', () => build({ signal: interrupt.stop }));
    return await withPlatform(dataFolder, reporter, (environment) => drain(args, environment, interrupt));
  } finally {
    interrupt.dispose();
  }
});

function milliseconds(option: string, seconds: string | undefined, min: number): string[] {
  if (seconds === undefined) return [];
  return [`--${option}-ms`, String(parseWholeNumber(`--${option}`, seconds, [min, MAX_SECONDS]) * 1_000)];
}

type Work = (environment: NodeJS.ProcessEnv) => Promise<number>;

/** Beside a platform that runs; else on servers of its own, where none are given. */
async function withPlatform(dataFolder: string, reporter: Reporter, work: Work): Promise<number> {
  if (!(await DataFolder.isInUse(dataFolder))) return withOwnServers(dataFolder, reporter, work);
  const dev = await readDevFile(devFileIn(dataFolder));
  if (!dev) throw new DataFolderError(`A platform on ${dataFolder} is just starting: try again in a moment.`);
  reporter.print(`Beside the platform that runs on ${dev.url}`);
  const environment = describeEnvironment({
    environment: process.env,
    services: dev,
    folder: { storage: join(dataFolder, 'storage'), cache: join(dataFolder, 'cache') },
    // It serves nobody: there are no cursors to sign.
    secrets: { cursorSecret: randomBytes(32).toString('hex'), adminKey: dev.adminKey },
  });
  return work(environment);
}

async function withOwnServers(dataFolder: string, reporter: Reporter, work: Work): Promise<number> {
  await assertEnvironmentIsValid(process.env);
  const folder = await DataFolder.open(dataFolder);
  try {
    const secrets = await loadSecrets(folder.secretsFile);
    const services = await Services.provide({
      environment: process.env,
      postgresFolder: folder.postgres,
      redisFolder: folder.redis,
      logFolder: folder.logs,
      reporter,
    });
    try {
      await reporter.step('Migrations', () =>
        migrate({ databaseUrl: services.databaseUrl, onRetry: (message) => reporter.warn(message) }),
      );
      return await work(describeEnvironment({ environment: process.env, services, folder, secrets }));
    } finally {
      await services.stop();
    }
  } finally {
    await folder.close();
  }
}

/** @returns the exit code */
async function drain(args: string[], environment: NodeJS.ProcessEnv, interrupt: Interrupt): Promise<number> {
  if (interrupt.stop.aborted) return INTERRUPTED_EXIT_CODE;
  const script = join(ROOT, 'apps/worker/dist/drain.js');
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args], {
    cwd: ROOT,
    env: { LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  interrupt.stop.addEventListener('abort', () => child.kill('SIGTERM'));
  interrupt.force.addEventListener('abort', () => child.kill('SIGKILL'));
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? INTERRUPTED_EXIT_CODE;
}
