import type { AdaptiveIndexing, LedgerEntry, StoredRecommendation } from '@peregrine/query-optimizer';

import { megabytes, oneLine, table } from '../optimizer/text.ts';
import type { IndexDemoReport } from './index-demo.ts';

const SQL_WIDTH = 90;

/** An entry of the ledger, as a person reads it. */
export interface IndexLedgerLine {
  readonly index: string;
  readonly table: string;
  readonly keys: string;
  /** What it is for. */
  readonly queries: readonly {
    readonly sql: string;
    readonly beforeMs: number | null;
    readonly afterMs: number | null;
  }[];
  readonly status: LedgerEntry['status'];
  readonly decision: string;
  readonly sizeBytes: number | null;
  readonly by: string;
}

/** What was built since then, the oldest first. */
export async function indexLedgerLines(
  adaptive: AdaptiveIndexing,
  since: Date,
): Promise<readonly IndexLedgerLine[]> {
  const recommendations = new Map((await adaptive.recommendations()).map((it) => [it.id, it]));
  const entries = await adaptive.ledger();
  return entries
    .filter((it) => it.startedAt >= since)
    .toReversed()
    .map((it) => lineOf(it, recommendations.get(it.recommendation)));
}

function lineOf(entry: LedgerEntry, recommendation: StoredRecommendation | undefined): IndexLedgerLine {
  const texts = new Map(recommendation?.serves.map((it) => [it.statement, it.sql]));
  const { indexName: index, table: on, keys, included } = entry.plan;
  return {
    index,
    table: `${on.schema}.${on.name}`,
    keys: [keys.join(', '), ...(included.length > 0 ? [`with ${included.join(', ')}`] : [])].join(' '),
    queries: entry.measurements.map(({ statement, beforeMs, afterMs }) => ({
      ...{ sql: texts.get(statement) ?? statement, beforeMs, afterMs },
    })),
    status: entry.status,
    decision: entry.decision ?? '',
    sizeBytes: entry.sizeBytes,
    by: entry.actor,
  };
}

/** The ledger of the demo as a table, with what it rests on. */
export function formatIndexDemo({ lines, calls, round, by, why, ledger, open }: IndexDemoReport): string {
  const rows = ledger.flatMap((it): string[][] => {
    const size = it.sizeBytes === null ? '' : megabytes(it.sizeBytes);
    const [first, ...more] = it.queries.map(({ sql, beforeMs, afterMs }) => [
      oneLine(sql, SQL_WIDTH),
      milliseconds(beforeMs),
      milliseconds(afterMs),
    ]);
    return [
      [it.status, `${it.table} (${it.keys})`, size, ...(first ?? ['', '', ''])],
      ...more.map((cells) => ['', '', '', ...cells]),
    ];
  });
  return [
    '',
    `  Indexes: the demo's own table, ${lines.toLocaleString('en')} lines of the documents, was made without the indexes it needs and asked`,
    `  ${calls.toLocaleString('en')} times. A round of adaptive indexing (mode apply) by ${WHOSE[by]} ${OUTCOMES[round.outcome] ?? round.outcome}. Its ledger:`,
    '',
    indented(
      rows.length === 0
        ? 'Nothing was built.'
        : table(['decision', 'index', 'size', 'is for', 'before', 'after'], rows),
    ),
    '',
    ...ledger.map((it) => `  ${it.index}: ${it.decision} (${it.by})`),
    ...open.map((it) => `  ${it}`),
    ...(why === null ? [] : [`  It was the demo's own round: ${why}`]),
    ...round.problems.map((it) => `  ${it.part}: ${it.reason}`),
  ].join('\n');
}

const WHOSE = { workers: 'the workers, on their schedule,', demo: 'the demo itself' } as const;
const OUTCOMES: Readonly<Record<string, string>> = {
  completed: 'looked at what was asked',
  failed: 'failed',
};
const milliseconds = (value: number | null) => (value === null ? 'not measured' : `${value.toFixed(2)} ms`);
const indented = (text: string) =>
  text
    .split('\n')
    .map((it) => `  ${it}`)
    .join('\n');
