import { styleText } from 'node:util';

import { INTERRUPTED_EXIT_CODE, parseOptions, parseWholeNumber, runCommand } from './command-line.ts';
import { type Interrupt, listenForInterrupt, whenAborted } from './interrupt.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder } from './paths.ts';
import { describePlatform } from './platform/describe-platform.ts';
import { type Platform, startPlatform } from './platform/platform.ts';
import { TerminalReporter } from './reporter.ts';

const HELP = `Usage: npm start -- [options]

Builds, starts PostgreSQL and Redis where no address is given, migrates, starts the API and its workers, and keeps
them running until Ctrl-C.

  --port <number>     port of the API, 0 for any free one (default: PORT, else 3000)
  --data <folder>     where everything is kept (default: .peregrine)
  --workers <number>  processes that run background tasks (default: 1)
  --no-build          use what was built before
  --help              this text

Environment: DATABASE_URL and REDIS_URL name servers to use instead of own ones; .env.example lists the rest.
Ctrl-C or SIGTERM stops everything in order (exit code 0); a second one, or one before everything runs: 130.`;

const options = {
  port: { type: 'string' },
  data: { type: 'string' },
  workers: { type: 'string', default: '1' },
  build: { type: 'boolean', default: true },
  help: { type: 'boolean', default: false },
} as const;

await runCommand(async () => {
  const { values } = parseOptions('npm start --', { options, allowNegative: true });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const reporter = new TerminalReporter();
  const interrupt = listenForInterrupt();
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  const platform = await startPlatform({
    dataFolder,
    port: parsePort(values.port),
    workers: parseWholeNumber('--workers', values.workers, [0, 64]),
    build: values.build,
    reporter,
    signal: interrupt.stop,
    force: interrupt.force,
  });
  reporter.print(describePlatform(platform.dev, dataFolder));
  return keepRunning(platform, interrupt, reporter);
});

function parsePort(option: string | undefined): number {
  const [name, text] = option === undefined ? ['PORT', process.env['PORT'] || '3000'] : ['--port', option];
  return parseWholeNumber(name, text, [0, 65_535]);
}

/** @returns the exit code */
async function keepRunning(
  platform: Platform,
  interrupt: Interrupt,
  reporter: TerminalReporter,
): Promise<number> {
  const failure = await Promise.race([platform.failed, whenAborted(interrupt.stop)]);
  if (failure) reporter.print(styleText('red', failure.message));
  await reporter.step('Stopping', async (rename) => {
    await platform.stop();
    rename('Everything is stopped');
  });
  // The signals stay ours to the end: one more Ctrl-C must not turn a clean end into a kill.
  if (interrupt.force.aborted) return INTERRUPTED_EXIT_CODE;
  return failure ? 1 : 0;
}
