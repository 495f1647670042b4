import type { Advice } from '@peregrine/query-optimizer';
import type pg from 'pg';

import { parseWholeNumber } from '../command-line.ts';
import { type FoundWorkload, readFolder, readFromDatabase } from './workload.ts';

const MEBIBYTE = 1_048_576;

export const ADVICE_OPTIONS = {
  statements: { type: 'string' },
  'budget-mb': { type: 'string' },
} as const;

export const ADVICE_HELP = `  --statements <folder> .sql files with the workload (default: what pg_stat_statements or the history remembers)
  --budget-mb <n>       room for all recommended indexes together`;

interface AdviceValues {
  readonly statements?: string | undefined;
  readonly 'budget-mb'?: string | undefined;
}

/** The workload that is meant. @throws {UsageError} */
export function workloadOf({ statements }: AdviceValues, pool: pg.Pool): Promise<FoundWorkload> {
  return statements === undefined ? readFromDatabase(pool) : readFolder(statements);
}

/** @throws {UsageError} @throws {QueryAdvisorError} */
export async function adviseOn(
  pool: pg.Pool,
  { statements, unreadable }: FoundWorkload,
  values: AdviceValues,
): Promise<Advice> {
  const { advise } = await import('@peregrine/query-optimizer');
  const budget = values['budget-mb'];
  const advice = await advise(statements, {
    source: pool,
    ...(budget !== undefined && {
      budgetBytes: parseWholeNumber('--budget-mb', budget, [1, 100_000_000]) * MEBIBYTE,
    }),
  });
  return { ...advice, skipped: [...unreadable, ...advice.skipped] };
}
