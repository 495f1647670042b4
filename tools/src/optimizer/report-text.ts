import type {
  AdaptiveStatus,
  IndexReport,
  LedgerEntry,
  SlowQueryReport,
  StoredRecommendation,
} from '@peregrine/query-optimizer';

import type { DatabaseFacts, TableReads } from './table-reads.ts';
import { adaptiveText, bold, dim, ledgerText, megabytes, oneLine, table } from './text.ts';

/** Something that could not be looked at, and what to do about it. */
export interface NotLookedAt {
  readonly part: string;
  readonly reason: string;
}

type SlowQuery = SlowQueryReport['queries'][number] & {
  /** That it reads or writes. */
  readonly tables: readonly string[];
};

export interface DatabaseReport {
  readonly database: DatabaseFacts;
  readonly thresholdMs: number;
  readonly slowQueries: readonly SlowQuery[];
  readonly tables: readonly TableReads[];
  readonly indexes: IndexReport;
  readonly ledger: readonly LedgerEntry[];
  readonly adaptive: {
    readonly status: AdaptiveStatus;
    readonly recommendations: readonly StoredRecommendation[];
  } | null;
  /** The database remembers statements to advise on. */
  readonly canAdvise: boolean;
  readonly notLookedAt: readonly NotLookedAt[];
}

const MOST_STEPS = 10;
const INDENT = '     ';
const STATEMENT_WIDTH = 100;

/** For a person: what is slow and why, what is wrong, and what to do next. */
export function reportText(report: DatabaseReport): string {
  const { database, indexes, adaptive, ledger, notLookedAt } = report;
  const parts: readonly (readonly [title: string, text: string])[] = [
    [`Slow queries, of ${report.thresholdMs} ms or more`, slowText(report)],
    ['Tables that are read as a whole', tablesText(report.tables)],
    ['Indexes', indexesText(indexes)],
    ...(adaptive
      ? [['Adaptive indexing', adaptiveText(adaptive.status, adaptive.recommendations)] as const]
      : []),
    ['Built on advice', ledgerText(ledger, adaptive?.recommendations)],
    ...(notLookedAt.length > 0
      ? [['Not looked at', notLookedAt.map((it) => `  ${it.part}: ${it.reason}`).join('\n')] as const]
      : []),
    ['Next', stepsText(stepsOf(report))],
  ];
  const head = `${database.name} on PostgreSQL ${database.version}, ${megabytes(database.sizeBytes)}`;
  return [head, ...parts.map(([title, text]) => `${bold(title)}\n${text}`)].join('\n\n');
}

function slowText({ slowQueries, tables }: DatabaseReport): string {
  if (slowQueries.length === 0) return 'None is known.';
  const large = new Set(tables.map((it) => it.name));
  return slowQueries
    .map((it, index) => {
      const { calls, meanMs } = it.server ?? it;
      const p95 = it.p95Ms === null ? '' : `, p95 ${figure(it.p95Ms)} ms`;
      const total = ((calls * meanMs) / 1_000).toFixed(1);
      const figures = `${figure(calls)} calls, mean ${figure(meanMs)} ms${p95}, ${total} s in all`;
      return [
        `${String(index + 1).padStart(3)}. ${bold(figures)}${it.tables.length > 0 ? `: ${it.tables.join(', ')}` : ''}`,
        `${INDENT}${oneLine(it.sql, STATEMENT_WIDTH)}`,
        ...reasonsOf(it, large).map((reason) => `${INDENT}${dim(reason)}`),
      ].join('\n');
    })
    .join('\n');
}

/** Why it is slow, as far as its plan and its history tell. */
function reasonsOf({ plans, regression, buffers, errors }: SlowQuery, large: ReadonlySet<string>): string[] {
  const outline = plans.at(-1)?.outline ?? '';
  const whole = [...outline.matchAll(/Seq Scan on (\S+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => large.has(name) || large.has(name.replace(/^public\./, '')));
  const since = regression?.since.toISOString().slice(0, 16).replace('T', ' ');
  return [
    ...(whole.length > 0 ? [`Reads all rows of ${[...new Set(whole)].join(', ')}.`] : []),
    ...(regression
      ? [`Got another plan on ${since ?? ''} UTC: it takes ${figure(regression.factor)} times as long.`]
      : []),
    ...(buffers && buffers.tempWrittenBlocks > 0
      ? ['Its sorts or hashes do not fit into work_mem and go to the disk.']
      : []),
    ...(errors > 0 ? [`${figure(errors)} of its runs failed.`] : []),
  ];
}

function tablesText(tables: readonly TableReads[]): string {
  if (tables.length === 0) return 'None of 1,000 rows or more.';
  return table(
    ['table', 'rows', 'size', 'as a whole', 'rows each', 'by index'],
    tables.map((it) => [
      it.name,
      figure(it.rows),
      megabytes(it.sizeBytes),
      figure(it.wholeReads),
      figure(it.rowsEach),
      figure(it.indexReads),
    ]),
  );
}

function indexesText({ findings, indexes, sizeBytes, statisticsSince }: IndexReport): string {
  const since =
    statisticsSince === null ? '' : `, uses counted since ${statisticsSince.toISOString().slice(0, 10)}`;
  const head = `${figure(indexes)} indexes, ${megabytes(sizeBytes)}${since}.`;
  if (findings.length === 0) return `${head} Nothing is wrong with them.`;
  const rows = findings.map((it) => [
    it.kind,
    it.table,
    it.index ?? `(${it.columns.join(', ')})`,
    megabytes(it.sizeBytes),
    it.caution === null ? it.reason : `${it.reason}; but ${it.caution}`,
  ]);
  return `${head}\n${table(['what', 'table', 'index', 'size', 'why'], rows)}`;
}

interface Step {
  readonly command: string;
  readonly why: string;
}

function stepsOf({ indexes, adaptive, slowQueries, canAdvise }: DatabaseReport): readonly Step[] {
  const open = (adaptive?.recommendations ?? []).filter((it) => it.state === 'open');
  // What something stands against is for a person to weigh: it is in the table, and no next step.
  const mending = indexes.findings.filter((it) => it.caution === null);
  const advise = canAdvise
    ? { command: 'npm run optimizer -- recommend', why: 'Looks for indexes for the statements above.' }
    : {
        command: 'npm run optimizer -- recommend --statements <folder with .sql files>',
        why: 'The database remembers no statements: name those to look for indexes for.',
      };
  return [
    ...(open.length > 0
      ? [
          {
            command: 'npm run optimizer -- apply',
            why: `${open.length} recommended indexes are not built yet; each is measured, and stays only when it helps.`,
          },
        ]
      : []),
    ...mending
      .slice(0, MOST_STEPS)
      .map(({ statement, reason }) => ({ command: statement, why: `${reason}.` })),
    ...(slowQueries.length > 0 || !canAdvise ? [advise] : []),
  ];
}

function stepsText(steps: readonly Step[]): string {
  if (steps.length === 0) return 'Nothing is to be done.';
  return steps
    .map(({ command, why }, index) => `${String(index + 1).padStart(3)}. ${command}\n${INDENT}${dim(why)}`)
    .join('\n');
}

const figure = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
