import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from './build.ts';
import { runCommand } from './command-line.ts';
import { type Interrupt, listenForInterrupt } from './interrupt.ts';
import { ROOT } from './paths.ts';
import { installHypoPgInCi } from './platform/hypopg-installation.ts';
import { readJson } from './platform/json-file.ts';
import { ensureRedisProgram } from './platform/redis-installation.ts';
import { Services } from './platform/services.ts';
import { ensureTestPrograms } from './platform/test-programs.ts';
import { type Reporter, TerminalReporter } from './reporter.ts';
import {
  afterSecondLook,
  filesToLookAtAgain,
  isClean,
  type JestResult,
  SECOND_LOOKS,
  summarize,
} from './test-summary.ts';
import { InterruptedError } from './tools.errors.ts';

const HELP = `Usage: npm test [-- Jest arguments]

Builds and type-checks everything, starts PostgreSQL and Redis on free ports with a new data folder, runs Jest, and
ends with the line "N passed, M failed". The arguments go to Jest: npm test -- --selectProjects cache
When at most five files failed, they run twice more without the others beside them. A test that passes both times
counts as passed and is named as UNSTEADY: it depends on how busy the machine is.

Environment: DATABASE_URL and REDIS_URL name servers to use instead of own ones. CI=true counts skipped tests as
failed and installs Redis, nginx, Varnish, Prometheus, Chromium, and PostgreSQL with HypoPG, from the system's packages when
they are missing.`;

/** Nothing here must survive a power cut. */
const FAST_POSTGRES = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
};

await runCommand(async () => {
  const args = process.argv.slice(2);
  if (args[0] === '--help') {
    console.log(HELP);
    return 0;
  }
  const reporter = new TerminalReporter();
  const interrupt = listenForInterrupt();
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-test-'));
  try {
    return await testIn(folder, args, reporter, interrupt);
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    console.error(error instanceof Error ? error.message : String(error));
    console.log('0 passed, 1 failed');
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
    interrupt.dispose();
  }
});

async function testIn(
  folder: string,
  args: readonly string[],
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<number> {
  // Started by root, PostgreSQL runs as another user, which must get through.
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'logs'));
  await reporter.step('Build and type check', () => build({ withTests: true, signal: interrupt.stop }));
  if (!process.env['REDIS_URL']) await ensureRedisProgram(process.env, reporter);
  await ensureTestPrograms(process.env, reporter);
  await installHypoPgInCi(process.env, reporter);
  const services = await Services.provide({
    environment: process.env,
    postgresFolder: join(folder, 'postgres'),
    redisFolder: join(folder, 'redis'),
    logFolder: join(folder, 'logs'),
    postgresSettings: FAST_POSTGRES,
    reporter,
  });
  const resultFile = join(folder, 'jest.json');
  const run = async (...jestArguments: string[]) => {
    await rm(resultFile, { force: true });
    const exitCode = await runJest(
      [...jestArguments, '--json', `--outputFile=${resultFile}`],
      services,
      interrupt,
    );
    if (interrupt.stop.aborted) throw new InterruptedError();
    return { exitCode, result: (await readJson(resultFile)) as JestResult | undefined };
  };
  const notes: string[] = [];
  const { exitCode, result } = await (async () => {
    try {
      const first = await run(...args);
      const last = await lookAgain(filesToLookAtAgain(first.result), run);
      if (!first.result || !last) return first;
      const second = afterSecondLook(first.result, last);
      notes.push(...second.notes);
      return { exitCode: 0, result: second.result };
    } finally {
      await services.stop();
    }
  })();
  const summary = summarize(result, { exitCode, isCi: process.env['CI'] === 'true' });
  for (const note of [...notes, ...summary.notes]) console.log(note);
  console.log(`${summary.passed} passed, ${summary.failed} failed`);
  return summary.failed === 0 ? 0 : 1;
}

/**
 * Runs the files one after the other and beside nothing else.
 *
 * @returns the last result; undefined when there is no file, or one did not pass as often as is asked
 */
async function lookAgain(
  files: readonly string[],
  run: (...jestArguments: string[]) => Promise<{ result: JestResult | undefined }>,
): Promise<JestResult | undefined> {
  let last: JestResult | undefined;
  for (let look = 1; files.length > 0 && look <= SECOND_LOOKS; look++) {
    console.log(`Second look ${look} of ${SECOND_LOOKS} at what failed: ${files.join(', ')}`);
    last = (await run('--runInBand', '--runTestsByPath', ...files)).result;
    if (!isClean(last)) return undefined;
  }
  return last;
}

async function runJest(args: string[], services: Services, interrupt: Interrupt): Promise<number | null> {
  if (interrupt.stop.aborted) throw new InterruptedError();
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      ...args,
    ],
    {
      cwd: ROOT,
      // With --outputFile the JSON goes to the file, and a line about that to stdout; the report goes to stderr.
      stdio: ['inherit', 'ignore', 'inherit'],
      env: {
        ...process.env,
        DATABASE_URL: services.databaseUrl,
        ...(services.redisUrl === null ? {} : { REDIS_URL: services.redisUrl }),
      },
    },
  );
  const end = () => jest.kill();
  interrupt.stop.addEventListener('abort', end);
  interrupt.force.addEventListener('abort', () => jest.kill('SIGKILL'));
  const [code] = (await once(jest, 'close')) as [number | null];
  interrupt.stop.removeEventListener('abort', end);
  return code;
}
