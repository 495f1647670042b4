import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';

import { BenchBuildError, BenchError } from '../bench.errors.ts';
import { currentLoad, describeEnvironment } from './environment.ts';
import { type BenchOptions, type Flag, helpOf, parseOptions } from './options.ts';
import { stderrProgress } from './progress.ts';
import { type BenchReport, renderReport, type SuiteResult } from './report.ts';
import type { SuiteOptions } from './suite.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const RESULTS = join(import.meta.dirname, '../../results');

/** Servers of a benchmark's own. */
export interface Servers {
  /** By name. */
  readonly versions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One benchmark: what `runBench` turns into a command. */
export interface Bench<SuiteName extends string, S extends Servers> {
  /** As people type it. */
  readonly command: string;
  /** For `--help`: what it measures, how long a whole run takes. */
  readonly about: string;
  readonly title: string;
  /** Of the files in the folder of results. */
  readonly name: string;
  /** Project files of what is measured, from the root of the repository. */
  readonly projects: readonly string[];
  readonly packages: readonly string[];
  /** In the order of the report. */
  readonly suites: Readonly<Record<SuiteName, (options: SuiteOptions, servers: S) => Promise<SuiteResult>>>;
  /** Options that only this benchmark has. @default none */
  readonly flags?: Readonly<Record<string, Flag>>;
  /** Runs after the build. */
  readonly start: (options: BenchOptions<SuiteName>) => Promise<S>;
  /** Writes what belongs beside the report. */
  readonly finish?: (options: BenchOptions<SuiteName>, report: BenchReport) => Promise<void>;
}

/** Runs the benchmark as the command line says; what a person can put right is a message and exit code 1. */
export async function runBench<SuiteName extends string, S extends Servers>(
  bench: Bench<SuiteName, S>,
): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(130));
  // A reader that has seen enough, as `head`, must not leave servers behind.
  process.stdout.on('error', () => process.exit(1));
  try {
    await run(bench, process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof BenchError ? error.message : error);
    process.exitCode = 1;
  }
}

async function run<SuiteName extends string, S extends Servers>(
  bench: Bench<SuiteName, S>,
  args: readonly string[],
): Promise<void> {
  const suites = Object.keys(bench.suites) as SuiteName[];
  const defaults = { json: join(RESULTS, `${bench.name}.json`), markdown: join(RESULTS, `${bench.name}.md`) };
  const { command: name, about, flags = {} } = bench;
  const line = { command: name, about, suites, defaults, flags };
  const options = parseOptions(line, args, process.env['INIT_CWD'] ?? process.cwd());
  if (options.isHelp) return console.log(helpOf(line));
  if (options.isBuild) await stderrProgress.step('build of the library', () => build(bench.projects));
  const servers = await bench.start(options);
  try {
    const command = `${bench.command} -- ${args.join(' ')}`.replace(/ -- $/, '');
    const report = await measure(bench, options, servers, command);
    const markdown = renderReport(report);
    await write(options.markdown, markdown);
    await write(options.json, JSON.stringify(report, null, 2));
    await bench.finish?.(options, report);
    console.log(markdown);
  } finally {
    await servers.stop();
  }
}

async function measure<SuiteName extends string, S extends Servers>(
  { suites, packages, title, command: name }: Bench<SuiteName, S>,
  options: BenchOptions<SuiteName>,
  servers: S,
  command: string,
): Promise<BenchReport> {
  const environment = describeEnvironment(command, servers.versions, packages);
  const results: SuiteResult[] = [];
  for (const suite of options.only) {
    stderrProgress.say(`== ${suite}`);
    try {
      results.push(await suites[suite]({ ...options, progress: stderrProgress }, servers));
    } catch (error) {
      // What took a quarter of an hour is not lost with the suite that comes last.
      console.error(error);
      process.exitCode = 1;
      results.push(failedSuite(suite));
    }
  }
  const facts = { ...environment, 'Load at the end (1 min)': currentLoad() };
  return { title, command: name, environment: facts, suites: results };
}

function failedSuite(title: string): SuiteResult {
  return { title, notes: ['Failed: it could not be measured.'], tables: [], lines: [], samples: undefined };
}

/** @throws {BenchBuildError} */
async function build(projects: readonly string[]): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-b', ...projects.map((it) => join(ROOT, it))];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    throw new BenchBuildError(`${stdout}\nThe build of the library failed.`, { cause: error });
  }
}

async function write(path: string | undefined, text: string): Promise<void> {
  if (path === undefined) return;
  await mkdir(dirname(path), { recursive: true });
  // As the repository's check wants its files.
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
  stderrProgress.say(`written: ${path}`);
}
