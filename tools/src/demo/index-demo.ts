import type { AdaptiveRound, QueryOptimizer } from '@peregrine/query-optimizer';
import pg from 'pg';

import type { Reporter } from '../reporter.ts';
import type { ApiClient } from './api-client.ts';
import { DEMO_SCHEMA, LINES, type LoadedLines, loadDocumentLines } from './document-lines.ts';
import type { Selection } from './import-folder.ts';
import { type IndexLedgerLine, indexLedgerLines } from './index-ledger.ts';
import { ownRound, workersRound } from './index-round.ts';

/** What counts as evidence for an index: at least so many calls, and so much time of all together. */
const MIN_CALLS = 40;
const MIN_TOTAL_MS = 1_500;
/** A small folder makes small tables, and no evidence however often one asks. */
const MAX_CALLS = 3_000;
const INDEXES_PER_DAY = 20;
/** The history that all processes share keeps what is slow; the demo's tables are small. */
const SLOW_FROM_MS = 0.1;

/** What the demo's program asks of its table; parameters are taken in turn from what is there. */
const QUESTIONS: readonly {
  readonly sql: string;
  readonly values: (of: LoadedLines) => readonly string[];
}[] = [
  { sql: `SELECT line, text FROM ${LINES} WHERE path = $1 ORDER BY line`, values: (it) => it.paths },
  {
    sql: `SELECT path, line FROM ${LINES} WHERE host = $1 ORDER BY path, line LIMIT 50`,
    values: (it) => it.hosts,
  },
];

export interface IndexDemoReport {
  /** Rows of the table that misses its indexes. */
  readonly lines: number;
  readonly calls: number;
  /** How the round ended that the demo waited for, and what it could not do. */
  readonly round: Pick<AdaptiveRound, 'outcome' | 'problems'>;
  /** Whose round it was: one that the workers have by their schedule, or one of the demo's own, and then why. */
  readonly by: 'workers' | 'demo';
  readonly why: string | null;
  /** What was built since the demo began, by the platform's worker or by the demo, the oldest first. */
  readonly ledger: readonly IndexLedgerLine[];
  /** Why what is recommended is not built. */
  readonly open: readonly string[];
}

export interface IndexDemoOptions {
  /** Of the platform, with the right to look at recommendations. */
  readonly admin: ApiClient;
  readonly databaseUrl: string;
  readonly selection: Selection;
  /** Leaves the table and its indexes. */
  readonly keep: boolean;
  readonly reporter: Reporter;
}

/** A table without its indexes, questions that need them, and a round of adaptive indexing with the mode `apply`. */
export async function demonstrateIndexes({
  admin,
  databaseUrl,
  selection,
  keep,
  reporter,
}: IndexDemoOptions): Promise<IndexDemoReport> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'peregrine-demo' });
  await client.connect();
  try {
    const loaded = await reporter.step(`Loading lines into ${LINES}, which misses its indexes`, () =>
      loadDocumentLines(client, selection),
    );
    const startedAt = await serverTime(client);
    return await withOptimizer(databaseUrl, async (optimizer) => {
      const calls = await reporter.step('Asking for documents and links', () => ask(optimizer, loaded));
      // The workers read it in the history of all processes.
      await optimizer.slowQueries.refresh();
      const { adaptiveIndexing: adaptive } = optimizer;
      const begun = { adaptive, since: await serverTime(client), reporter };
      const workers = await workersRound(admin, begun);
      const { outcome, problems } = typeof workers === 'string' ? await ownRound(begun) : workers;
      const ledger = await indexLedgerLines(adaptive, startedAt);
      const open = await adaptive.recommendations({ state: 'open' });
      return {
        ...{ lines: loaded.lines, calls, round: { outcome, problems }, ledger },
        ...(typeof workers === 'string' ? { by: 'demo', why: workers } : { by: 'workers', why: null }),
        open: open
          .filter((it) => it.plan.table.schema === DEMO_SCHEMA)
          .map((it) => `${it.statement}: ${it.decision ?? 'open'}`),
      };
    });
  } finally {
    if (!keep) await client.query(`DROP SCHEMA IF EXISTS ${DEMO_SCHEMA} CASCADE`);
    await client.end();
  }
}

async function withOptimizer<T>(
  connectionString: string,
  work: (optimizer: QueryOptimizer) => Promise<T>,
): Promise<T> {
  const { createQueryOptimizer } = await import('@peregrine/query-optimizer');
  const optimizer = await createQueryOptimizer({
    connectionString,
    pool: { min: 0, max: 4, reserve: 0, applicationName: 'peregrine-demo' },
    cache: { enabled: false, listen: false },
    slowQueries: { thresholdMs: SLOW_FROM_MS, sample: { enabled: false } },
    // Of its own schema only: what is missing elsewhere is for the platform to decide, by its settings.
    adaptiveIndexing: {
      ...{ mode: 'apply', schemas: [DEMO_SCHEMA], indexesPerDay: INDEXES_PER_DAY, revertUnused: false },
      evidence: { minCalls: MIN_CALLS, minTotalMs: 0 },
    },
  });
  try {
    return await work(optimizer);
  } finally {
    await optimizer.close();
  }
}

/** @returns how often it asked */
async function ask(optimizer: QueryOptimizer, loaded: LoadedLines): Promise<number> {
  let all = 0;
  for (const { sql, values } of QUESTIONS) {
    const given = values(loaded);
    if (given.length === 0) continue;
    let totalMs = 0;
    for (let calls = 0; calls < MIN_CALLS || (totalMs < MIN_TOTAL_MS && calls < MAX_CALLS); calls++, all++) {
      const { durationMs } = await optimizer.execute(sql, [given[calls % given.length]]);
      totalMs += durationMs;
    }
  }
  return all;
}

async function serverTime(client: pg.Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('SELECT now() AS now');
  return rows[0]?.now ?? new Date(0);
}
