import type { LedgerEntry } from '@peregrine/query-optimizer';
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

const WHOLE_LEDGER = Number.MAX_SAFE_INTEGER;

interface RevertValues {
  readonly all: boolean;
  readonly 'dry-run': boolean;
}

/** `npm run optimizer -- revert` */
export async function revertIndex(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions('npm run optimizer -- revert', {
    options,
    args: [...args],
    allowNegative: true,
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [number] = positionals;
  const isWrong = positionals.length > 1 || (values.all && number !== undefined);
  if (isWrong || (number !== undefined && !/^\d{1,18}$/.test(number))) {
    throw new UsageError(`Give one number of the ledger, or --all.\n\n${HELP}`);
  }
  if (values.build) await build();
  const { IndexTrials } = await import('@peregrine/query-optimizer');
  return withTarget(values, async (pool) => {
    const trials = new IndexTrials({ source: pool, actor: userInfo().username });
    const ledger = await trials.ledger(WHOLE_LEDGER);
    const kept = ledger.filter((it) => it.status === 'kept');
    const isShown = !values.all && number === undefined;
    const chosen = values.all ? kept : kept.filter((it) => it.id === number);
    const entries: LedgerEntry[] = [];
    if (number !== undefined && chosen.length === 0) {
      const entry = ledger.find((it) => it.id === number);
      const problem = entry === undefined ? 'does not exist' : `says "${entry.status}"`;
      throw new UsageError(
        `Nothing to revert: the ledger's entry ${number} ${problem}. Without a number, revert shows the ledger.`,
      );
    }
    if (!values['dry-run']) for (const { id } of chosen) entries.push(await trials.revert(id));
    const shown = isShown ? ledger : values['dry-run'] ? chosen : entries;
    console.log(values.json ? JSON.stringify({ ledger: shown }, null, 2) : revertText(shown, values));
    return 0;
  });
}

function revertText(shown: readonly LedgerEntry[], { all, 'dry-run': isDry }: RevertValues): string {
  if (all && shown.length === 0) return 'Nothing to revert: no index that was built on advice is there.';
  return `${isDry && shown.length > 0 ? 'Would be dropped:\n\n' : ''}${ledgerText(shown)}`;
}
