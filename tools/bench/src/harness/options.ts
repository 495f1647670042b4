import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { BenchUsageError } from '../bench.errors.ts';

/** What a benchmark's command line is about. */
export interface CommandLine<SuiteName extends string> {
  /** As people type it. */
  readonly command: string;
  /** What it measures, and what a whole run takes and writes. */
  readonly about: string;
  /** What can be measured, in the order of the report. */
  readonly suites: readonly SuiteName[];
  /** Absolute paths, to which a whole run writes. */
  readonly defaults: { readonly json: string; readonly markdown: string };
  /** Options that only this benchmark has, by name, and what its help says of them. @default none */
  readonly flags?: Readonly<Record<string, Flag>>;
}

/** An option of one benchmark. */
export interface Flag {
  /** A text takes a value. */
  readonly type: 'string' | 'boolean';
  readonly help: string;
}

/** The command line of a benchmark. */
export interface BenchOptions<SuiteName extends string> {
  readonly only: readonly SuiteName[];
  readonly repetitions: number;
  readonly isQuick: boolean;
  readonly isBuild: boolean;
  readonly isHelp: boolean;
  /** Absolute paths; undefined: not written. */
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  /** What was given of the options that only this benchmark has. */
  readonly flags: Readonly<Record<string, string | boolean>>;
}

const REPETITIONS = 7;

export const helpOf = ({
  command,
  about,
  suites,
  flags = {},
}: CommandLine<string>): string => `Usage: ${command} -- [options]

${about} A run with --only or --quick writes only where it is told to. A goal that is missed is printed as missed and
is no error.

  --only <suites>    comma-separated: ${suites.join(', ')}
  --repetitions <n>  processes for each library, of which the median is taken (default: ${REPETITIONS})
  --json <file>      where to write all samples
  --markdown <file>  where to write the report
  --quick            small and short, to see that everything runs; not for quoting
  --no-build         use the library as it was built before
${Object.entries(flags).map(helpOfFlag).join('')}  --help             this text`;

const helpOfFlag = ([name, { type, help }]: [string, Flag]): string =>
  `  ${`--${name}${type === 'string' ? ' <text>' : ''}`.padEnd(18)} ${help}\n`;

const CONFIG = {
  allowNegative: true,
  options: {
    only: { type: 'string' },
    repetitions: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'string' },
    quick: { type: 'boolean', default: false },
    build: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
} as const;

/**
 * @param folder against which relative paths are meant
 * @throws {BenchUsageError}
 */
export function parseOptions<SuiteName extends string>(
  { command, suites, defaults, flags = {} }: Omit<CommandLine<SuiteName>, 'about'>,
  args: readonly string[],
  folder: string,
): BenchOptions<SuiteName> {
  const { values, given } = parseValues(command, args, flags);
  const isWhole = values.only === undefined && !values.quick;
  const path = (given: string | undefined, standard: string) => {
    if (given !== undefined) return resolve(folder, given);
    return isWhole ? standard : undefined;
  };
  return {
    only: values.only === undefined ? suites : parseSuites(suites, values.only),
    repetitions:
      values.repetitions === undefined
        ? values.quick
          ? 1
          : REPETITIONS
        : parseRepetitions(values.repetitions),
    isQuick: values.quick,
    isBuild: values.build,
    isHelp: values.help,
    json: path(values.json, defaults.json),
    markdown: path(values.markdown, defaults.markdown),
    flags: given,
  };
}

function parseValues(command: string, args: readonly string[], flags: Readonly<Record<string, Flag>>) {
  const own = Object.fromEntries(Object.entries(flags).map(([name, { type }]) => [name, { type }]));
  try {
    const parsed = parseArgs({
      ...CONFIG,
      options: { ...own, ...CONFIG.options },
      args: [...args],
      tokens: true,
    });
    const given: Record<string, string | boolean> = {};
    for (const token of parsed.tokens) {
      if (token.kind === 'option' && token.name in own) given[token.name] = token.value ?? true;
    }
    return { values: parsed.values, given };
  } catch (error) {
    const message = (error as Error).message.split('. ', 1)[0] ?? '';
    throw new BenchUsageError(`${message}. Run "${command} -- --help" for the options.`, { cause: error });
  }
}

function parseSuites<SuiteName extends string>(
  suites: readonly SuiteName[],
  text: string,
): readonly SuiteName[] {
  const names = text.split(',').map((it) => it.trim());
  const unknown = names.filter((it) => !suites.some((name) => name === it));
  if (unknown.length === 0) return suites.filter((name) => names.includes(name));
  throw new BenchUsageError(`--only: unknown ${unknown.join(', ')}; there is ${suites.join(', ')}`);
}

function parseRepetitions(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (number >= 1) return number;
  throw new BenchUsageError(
    `--repetitions: given ${JSON.stringify(text)}, expected a whole number from 1 to 999`,
  );
}
