import { type Reporter, silentReporter, TerminalReporter } from '../reporter.ts';

/** On stderr, since stdout is for the answer; a program that reads either of them gets no progress. */
export const progressReporter = (): Reporter =>
  process.stderr.isTTY ? new TerminalReporter(process.stderr) : silentReporter;
