import { type Reporter, TerminalReporter } from '../reporter.ts';

/** On stderr: stdout is for the answer, which a program may read. */
export const progressReporter = (): Reporter => new TerminalReporter(process.stderr);
