import type { AdaptiveIndexing, SlowQuery } from '@peregrine/query-optimizer';
import type pg from 'pg';

import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { progressReporter } from './progress.ts';
import { type DatabaseReport, type NotLookedAt, reportText } from './report-text.ts';
import { readDatabaseFacts, readTableReads } from './table-reads.ts';
import { TARGET_HELP, TARGET_OPTIONS, withTarget } from './target-database.ts';
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

async function gather(pool: pg.Pool, connectionString: string): Promise<DatabaseReport> {
  const { createQueryOptimizer, IndexTrials } = await import('@peregrine/query-optimizer');
  const optimizer = await createQueryOptimizer({
    connectionString,
    pool: { min: 1, max: 3, reserve: 0 },
    cache: { enabled: false, listen: false },
  });
  const notLookedAt: NotLookedAt[] = [];
  /** What one role may not see is no reason to say nothing about the rest. */
  const orNot = async <T>(part: string, look: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await look();
    } catch (error) {
      notLookedAt.push({ part, reason: (error as Error).message });
      return otherwise;
    }
  };
  try {
    await optimizer.slowQueries.refresh();
    const indexes = await optimizer.analyseIndexes();
    const { queries, degraded, thresholdMs } = optimizer.slowQueries.report(TOP);
    notLookedAt.push(...degraded, ...indexes.degraded);
    return {
      database: await readDatabaseFacts(pool),
      thresholdMs,
      slowQueries: await withTables(queries),
      tables: await orNot('tables', () => readTableReads(pool), []),
      indexes,
      ledger: await orNot('ledger', () => new IndexTrials({ source: pool }).ledger(TOP), []),
      adaptive: await orNot('adaptive indexing', () => adaptiveOf(optimizer.adaptiveIndexing), null),
      canAdvise: await readFromDatabase(pool).then(
        () => true,
        () => false,
      ),
      notLookedAt,
    };
  } finally {
    await optimizer.close();
  }
}

async function adaptiveOf(adaptive: AdaptiveIndexing) {
  return { status: await adaptive.status(), recommendations: await adaptive.recommendations() };
}

async function withTables(queries: readonly SlowQuery[]) {
  const { analyse } = await import('@peregrine/query-optimizer');
  return queries.map((query) => {
    const { reads, writes } = analyse(query.sql);
    const relations = [...reads, ...writes.map((it) => it.relation)];
    const names = relations.map(({ schema, name }) => (schema === null ? name : `${schema}.${name}`));
    return { ...query, tables: [...new Set(names)] };
  });
}
