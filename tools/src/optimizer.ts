import { runCommand } from './command-line.ts';
import { applyAdvice } from './optimizer/apply-advice.ts';
import { recommendIndexes } from './optimizer/recommend-indexes.ts';
import { reportDatabase } from './optimizer/report-database.ts';
import { revertIndex } from './optimizer/revert-index.ts';
import { UsageError } from './tools.errors.ts';

/** What runs for each word; gets the arguments behind it and gives the exit code. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  report: reportDatabase,
  recommend: recommendIndexes,
  apply: applyAdvice,
  revert: revertIndex,
};

const HELP = `Usage: npm run optimizer -- <command> [options]

  report     what is slow, which indexes are missing, doubled, unused or broken, and what to do next
  recommend  indexes for a workload, each proven by the planner
  apply      builds recommended indexes without locking, measures, keeps what helps, and writes a ledger
  revert     drops an index that apply has built

On the platform that "npm start" runs, on DATABASE_URL, or on any PostgreSQL with --url. Each command has its own --help.
For a program: npm run --silent optimizer -- …, so that npm prints nothing beside the answer. Exit code 2: wrong arguments.`;

/** 1 says that it was tried and failed. */
const USAGE_EXIT_CODE = 2;

await runCommand(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name === '--help') {
    console.log(HELP);
    return 0;
  }
  if (name === undefined) throw new UsageError(HELP);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`There is no command "${name}".\n\n${HELP}`);
  return command(args);
}, USAGE_EXIT_CODE);
