import type { IndexReport } from '@peregrine/query-optimizer';
import type pg from 'pg';

import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { progressReporter } from './progress.ts';
import { TARGET_HELP, TARGET_OPTIONS, withTarget } from './target-database.ts';
import { adaptiveText, bold, dim, ledgerText, megabytes, oneLine, table } from './text.ts';
import { readFromDatabase } from './workload.ts';

const HELP = `Usage: npm run optimizer -- report [options]

What takes the most time, which indexes are doubled, unused, broken, bloated or missing, what was built on advice, and what
to do next. Reads only.

${TARGET_HELP}
  --help                this text`;

const TOP = 10;

/** `npm run optimizer -- report` */
export async function reportDatabase(args: readonly string[]): Promise<number> {
  const { values } = parseOptions('npm run optimizer -- report', {
    options: TARGET_OPTIONS,
    args: [...args],
    allowNegative: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.build) await build();
  return withTarget(values, async (pool, url) => {
    const report = await progressReporter().step('Looking at statements and indexes', () =>
      gather(pool, url),
    );
    console.log(values.json ? JSON.stringify(report, null, 2) : reportText(report));
    return 0;
  });
}

type Report = Awaited<ReturnType<typeof gather>>;

async function gather(pool: pg.Pool, connectionString: string) {
  const { createQueryOptimizer, IndexTrials } = await import('@peregrine/query-optimizer');
  const optimizer = await createQueryOptimizer({
    connectionString,
    pool: { min: 1, max: 3, reserve: 0 },
    cache: { enabled: false, listen: false },
  });
  try {
    await optimizer.slowQueries.refresh();
    const indexes: IndexReport = await optimizer.analyseIndexes();
    const { queries, degraded } = optimizer.slowQueries.report(TOP);
    const ledger = await new IndexTrials({ source: pool }).ledger(TOP);
    const canAdvise = await readFromDatabase(pool).then(
      () => true,
      () => false,
    );
    const adaptive = {
      status: await optimizer.adaptiveIndexing.status(),
      recommendations: await optimizer.adaptiveIndexing.recommendations(),
    };
    return { slowQueries: queries, degraded, indexes, ledger, adaptive, canAdvise };
  } finally {
    await optimizer.close();
  }
}

function reportText({ slowQueries, degraded, indexes, ledger, adaptive, canAdvise }: Report): string {
  const slow = slowQueries.map((it) => {
    const { calls, meanMs } = it.server ?? { calls: it.calls, meanMs: it.totalMs / Math.max(1, it.calls) };
    return [
      `${calls}`,
      `${meanMs.toFixed(1)} ms`,
      `${((calls * meanMs) / 1_000).toFixed(1)} s`,
      oneLine(it.sql, 80),
    ];
  });
  const findings = indexes.findings.map((it) => [
    it.kind,
    it.index ?? it.table,
    it.sizeBytes === null ? '' : megabytes(it.sizeBytes),
    it.reason,
  ]);
  const steps = [
    ...indexes.findings.slice(0, TOP).map((it) => it.statement),
    canAdvise
      ? 'npm run optimizer -- recommend'
      : 'npm run optimizer -- recommend --statements <folder with .sql files>',
  ];
  return [
    bold('Slow queries'),
    slow.length === 0 ? 'None is known.' : table(['calls', 'mean', 'in all', 'statement'], slow),
    ...degraded.map((it) => dim(`${it.part}: ${it.reason}`)),
    '',
    bold('Indexes'),
    findings.length === 0 ? 'Nothing is wrong with them.' : table(['what', 'where', 'size', 'why'], findings),
    '',
    bold('Adaptive indexing'),
    adaptiveText(adaptive.status, adaptive.recommendations),
    '',
    bold('Built on advice'),
    ledgerText(ledger, adaptive.recommendations),
    '',
    bold('Next'),
    ...steps.map((it) => `  ${it}`),
  ].join('\n');
}
