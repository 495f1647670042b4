import type { Advice, WorkloadStatement } from '@peregrine/query-optimizer';
import { writeFile } from 'node:fs/promises';

import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { fromCallersFolder } from '../paths.ts';
import { ADVICE_HELP, ADVICE_OPTIONS, adviseOn, workloadOf } from './advise-on.ts';
import { progressReporter } from './progress.ts';
import { TARGET_HELP, TARGET_OPTIONS, withTarget } from './target-database.ts';
import { adviceText } from './text.ts';

const HELP = `Usage: npm run optimizer -- recommend [options]

Recommends indexes for a workload. Each was tried: with HypoPG where the server has it, else on a copy of the table, in a
transaction that is rolled back. Nothing is changed.

${TARGET_HELP}
${ADVICE_HELP}
  --migration <file>    writes a TypeORM migration that makes them, and takes them back
  --details             with --json: everything that is known
  --help                this text

With --json: { recommendations, rejected }, each recommendation with the statements that it is for ("workload"); "npm run
optimizer -- apply --from <file>" takes it. With --details also { statisticsAdvice, skipped, forecast, regressions, … }.

Exit code 0: all went well, also when no index helps. 1: nothing could be looked at. 2: wrong arguments.`;

const options = {
  ...TARGET_OPTIONS,
  ...ADVICE_OPTIONS,
  migration: { type: 'string' },
  details: { type: 'boolean', default: false },
} as const;

/** `npm run optimizer -- recommend` */
export async function recommendIndexes(args: readonly string[]): Promise<number> {
  const { values } = parseOptions('npm run optimizer -- recommend', {
    options,
    args: [...args],
    allowNegative: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.build) await build();
  const reporter = progressReporter();
  return withTarget(values, async (pool) => {
    const workload = await workloadOf(values, pool);
    const advice = await reporter.step(`Looking for indexes for ${workload.source}`, () =>
      adviseOn(pool, workload, values),
    );
    const migration = values.migration === undefined ? undefined : fromCallersFolder(values.migration);
    if (migration !== undefined) await writeMigration(migration, advice);
    if (values.json) {
      console.log(JSON.stringify(adviceJson(advice, workload.statements, values.details), null, 2));
      warnOfSkipped(advice);
    } else {
      const written = migration === undefined ? [] : [`The migration is in ${migration}`];
      const next = advice.recommendations.length === 0 ? [] : [nextStep(values)];
      console.log([adviceText(advice), ...written, ...next].join('\n\n'));
    }
    return advice.forecast.length === 0 && advice.skipped.length > 0 ? 1 : 0;
  });
}

/** The statements go with the recommendation that they are for: to measure it, "apply" needs nothing else. */
function adviceJson(advice: Advice, statements: readonly WorkloadStatement[], withDetails: boolean) {
  const recommendations = advice.recommendations.map((it) => {
    const served = new Set(it.serves.map(({ statement }) => statement));
    return { ...it, workload: statements.filter(({ id }) => served.has(id ?? '')) };
  });
  const { rejected } = advice;
  return withDetails ? { ...advice, recommendations } : { recommendations, rejected };
}

/** A program that reads the answer would not learn it there. */
function warnOfSkipped({ skipped }: Advice): void {
  for (const it of skipped) console.error(`Not looked at: ${it.statement}: ${it.reason}`);
}

async function writeMigration(path: string, { recommendations }: Advice): Promise<void> {
  const { indexMigration } = await import('@peregrine/query-optimizer');
  await writeFile(path, await indexMigration(recommendations, Date.now()), { flag: 'wx' });
}

/** The same workload again; an address may hold a password, and is left to the person. */
const nextStep = ({ url, statements }: { readonly url?: string; readonly statements?: string }) =>
  'Next: npm run optimizer -- apply' +
  (url === undefined ? '' : ' --url …') +
  (statements === undefined ? '' : ` --statements ${statements}`);
