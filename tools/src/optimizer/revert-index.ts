import { userInfo } from 'node:os';

import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { UsageError } from '../tools.errors.ts';
import { TARGET_HELP, TARGET_OPTIONS, withTarget } from './target-database.ts';
import { ledgerText } from './text.ts';

const HELP = `Usage: npm run optimizer -- revert <number in the ledger> [options]
       npm run optimizer -- revert --all

Drops indexes that "apply" has built and kept, and nothing else. Without a number: shows the ledger.

${TARGET_HELP}
  --all                 all of them
  --dry-run             says what it would drop, and drops nothing
  --help                this text`;

const options = {
  ...TARGET_OPTIONS,
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const;

/** `npm run optimizer -- revert` */
export async function revertIndex(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions('npm run optimizer -- revert', {
    options,
    args: [...args],
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 1 || (values.all && positionals.length > 0)) {
    throw new UsageError(`Give one number of the ledger, or --all.\n\n${HELP}`);
  }
  await build();
  const { IndexTrials } = await import('@peregrine/query-optimizer');
  return withTarget(values, async (pool) => {
    const trials = new IndexTrials({ source: pool, actor: userInfo().username });
    const ledger = await trials.ledger();
    const kept = ledger.filter((it) => it.status === 'kept').map((it) => it.id);
    const ids = values.all ? kept : positionals;
    const isShown = ids.length === 0 || values['dry-run'];
    const entries = isShown ? ledger.filter((it) => ids.length === 0 || ids.includes(it.id)) : [];
    if (!isShown) for (const id of ids) entries.push(await trials.revert(id));
    console.log(values.json ? JSON.stringify({ ledger: entries }, null, 2) : ledgerText(entries));
    return 0;
  });
}
