import { parseArgs, type ParseArgsConfig } from 'node:util';

import { InterruptedError, ToolError, UsageError } from './tools.errors.ts';

/** Of a command that a person ended before its work was done; as shells report SIGINT. */
export const INTERRUPTED_EXIT_CODE = 130;

/**
 * Runs a command to its end and sets the exit code: what `main` returns, 130 when it was interrupted, or 1 with one
 * message when it fails. Only an error that is a fault of ours shows where it came from.
 *
 * @param usageExitCode after wrong arguments, for commands whose 1 means that the work was tried
 */
export async function runCommand(main: () => Promise<number | void>, usageExitCode = 1): Promise<void> {
  // A closed terminal or `| head` must not end a process that still has others to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const isInterrupted = error instanceof InterruptedError;
    if (!isInterrupted) console.error(describeError(error));
    process.exitCode = isInterrupted
      ? INTERRUPTED_EXIT_CODE
      : error instanceof UsageError
        ? usageExitCode
        : 1;
  }
}

/** The stable codes of our packages, and not Node's own. */
const OWN_CODE = /^(?!ERR_)[A-Z]+_[A-Z_]+$/;

/** Our errors and those of the system have a message for people; others come with their stack. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isForPeople = error instanceof ToolError || syscall !== undefined || OWN_CODE.test(code ?? '');
  return isForPeople ? error.message : (error.stack ?? error.message);
}

/**
 * `parseArgs` with messages for people.
 *
 * @throws {UsageError}
 */
export function parseOptions<const T extends ParseArgsConfig>(
  command: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // Node appends advice about positional arguments, which no command here takes for an option.
    const message = (error as Error).message.split('. ', 1)[0] ?? '';
    throw new UsageError(`${message}. Run "${command} --help" for the options.`, { cause: error });
  }
}

/**
 * @param range the smallest and the largest value allowed
 * @throws {UsageError}
 */
export function parseWholeNumber(option: string, value: string, [min, max]: [number, number]): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(
    `${option}: given ${JSON.stringify(value)}, expected a whole number from ${min} to ${max}`,
  );
}
