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
  --help                this text

With --json: { recommendations, rejected, statisticsAdvice, skipped, forecast, regressions, statements }; "npm run
optimizer -- apply --from <file>" takes it.`;

const options = { ...TARGET_OPTIONS, ...ADVICE_OPTIONS, migration: { type: 'string' } } as const;

/** `npm run optimizer -- recommend` */
export async function recommendIndexes(args: readonly string[]): Promise<number> {
  const { values } = parseOptions('npm run optimizer -- recommend', { options, args: [...args] });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  await build();
  const reporter = progressReporter();
  return withTarget(values, async (pool) => {
    const { statements, source } = await workloadOf(values, pool);
    const advice = await reporter.step(`Looking for indexes for ${source}`, () =>
      adviseOn(pool, statements, values),
    );
    if (values.migration !== undefined) {
      const { indexMigration } = await import('@peregrine/query-optimizer');
      const path = fromCallersFolder(values.migration);
      await writeFile(path, await indexMigration(advice.recommendations, Date.now()), { flag: 'wx' });
      reporter.print(`The migration is in ${path}`);
    }
    if (values.json) console.log(JSON.stringify({ ...advice, statements }, null, 2));
    else console.log(`${adviceText(advice)}\n\nNext: npm run optimizer -- apply${nextOptions(values)}`);
    return 0;
  });
}

/** The same workload again; an address may hold a password, and is left to the person. */
const nextOptions = ({ statements }: { readonly statements?: string | undefined }) =>
  statements === undefined ? '' : ` --statements ${statements}`;
