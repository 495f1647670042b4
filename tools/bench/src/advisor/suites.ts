import {
  advise,
  type Advice,
  IndexTrials,
  type LedgerEntry,
  type Recommendation,
} from '@peregrine/query-optimizer';
import pg from 'pg';

import { formatNumber, type Line, type SuiteResult, type Table } from '../harness/report.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import type { WorkloadText } from './fixture.ts';
import {
  measureAgain,
  measureStatements,
  relativeTime,
  slowestRatio,
  type StatementMeasure,
  sumOf,
} from './measure.ts';
import { loadPagila, readStatements } from './pagila.ts';
import { type AdvisorServers, withClient } from './servers.ts';

const BUDGET_BYTES = 26 * 1_048_576;
const BUDGET_MB = 26;
/** A statement that takes less is slower or faster by 30 % for any reason. */
const MEASURABLE_MS = 0.1;

/** PostgreSQL 15, one process; measured elsewhere with the same data, settings and statements. */
const PEERS: readonly (readonly [string, string, string, string, string])[] = [
  ['none', '0', '147,944', '417,000', '1.000'],
  ['the 27 shipped by its authors', '27, 5.9', '121,982', '400,000', '0.179'],
  ['Dexter 0.6.3, defaults', '4, 7.4', '117,163', '396,000', '0.193'],
  ['supabase index_advisor 0.2.0', '20, 8.2', '91,928', '157,000', '0.278'],
  ['pg_qualstats advisor', '7, 17', '145,217', '417,000', '0.658'],
  ['greedy by pairs and INCLUDE', '11, 31', '51,542', '85,000', '0.120'],
];

export async function runHypoPgSuite(options: SuiteOptions, servers: AdvisorServers): Promise<SuiteResult> {
  return runPagila('With HypoPG', options, await servers.withHypoPg());
}

export async function runSampleCloneSuite(
  options: SuiteOptions,
  servers: AdvisorServers,
): Promise<SuiteResult> {
  return runPagila('Without HypoPG', options, await servers.embedded());
}

async function runPagila(
  title: string,
  { repetitions, progress }: SuiteOptions,
  serverUrl: string,
): Promise<SuiteResult> {
  const statements = await readStatements();
  const url = await progress.step(`${title}: load`, () => loadPagila(serverUrl));
  const runs = Math.max(5, repetitions);
  const measure = () => withClient(url, (client) => measureStatements(client, statements, runs));
  const before = await progress.step(`${title}: measure without indexes`, measure);
  const advice = await progress.step(`${title}: advise`, () => adviseOn(url, statements, before));
  const kept = await progress.step(`${title}: build and judge`, () => build(url, advice, statements));
  const builtBytes = kept.reduce((sum, it) => sum + (it.sizeBytes ?? 0), 0);
  const after = await progress.step(`${title}: measure again`, () =>
    withClient(url, (client) => measureAgain(client, statements, before, runs)),
  );
  const version = await withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>('SELECT version()');
    return rows[0]?.version.split(' on ')[0] ?? 'PostgreSQL';
  });
  return {
    title: `${title} (${version})`,
    notes: [
      `21 statements on 320,880 rentals, budget ${BUDGET_MB} MB, random_page_cost 1.1 and no parallel plans, as the peers were measured.`,
      `Times are the best of ${runs}; the peers' come from another machine, so compare costs and buffers.`,
      ...advice.validation.notes,
    ],
    tables: [
      besideTable(before, after, kept.length, builtBytes),
      recommendationTable(advice.recommendations, kept),
      statementTable(before, after, advice),
    ],
    lines: linesOf(title, before, after, advice, builtBytes),
    samples: { before, after, advice },
  };
}

async function adviseOn(
  url: string,
  statements: readonly { readonly name: string; readonly text: string }[],
  before: readonly StatementMeasure[],
): Promise<Advice> {
  const source = new pg.Pool({ connectionString: url, max: 1 });
  try {
    const workload = statements.map(({ name, text }, i) => ({
      id: name,
      text,
      calls: 1,
      totalMs: before[i]?.ms ?? 0,
    }));
    return await advise(workload, { source, budgetBytes: BUDGET_BYTES });
  } finally {
    await source.end();
  }
}

/** As `npm run optimizer -- apply` does it: what slows a statement down is dropped again. Answers what was kept. */
async function build(
  url: string,
  { recommendations }: Advice,
  statements: readonly WorkloadText[],
): Promise<readonly LedgerEntry[]> {
  const source = new pg.Pool({ connectionString: url, max: 2 });
  try {
    const workload = statements.map(({ name: id, text }) => ({ id, text, calls: 1, totalMs: 0 }));
    const candidates = recommendations.map((plan) => ({
      plan,
      statements: workload.filter((it) => plan.serves.some(({ statement }) => statement === it.id)),
    }));
    const ledger = await new IndexTrials({ source }).runTogether(candidates, {}, { watched: workload });
    await source.query('VACUUM ANALYZE');
    return ledger.filter((it) => it.status === 'kept');
  } finally {
    await source.end();
  }
}

function besideTable(
  before: readonly StatementMeasure[],
  after: readonly StatementMeasure[],
  count: number,
  bytes: number,
): Table {
  const row = (name: string, indexes: string, measures: readonly StatementMeasure[]) => [
    name,
    indexes,
    formatNumber(sumOf(measures, 'cost')),
    formatNumber(sumOf(measures, 'buffers')),
    relativeTime(before, measures).toFixed(3),
  ];
  return {
    caption: 'Beside what others recommend, sums over the 21 statements, smaller is better:',
    columns: ['Indexes', 'Number, MB', 'Planner cost', 'Buffers', 'Relative time'],
    rows: [
      ...PEERS.map((it) => [...it]),
      row('none, measured here', '0', before),
      row('**Peregrine**', `${count}, ${formatNumber(bytes / 1e6)}`, after),
    ],
  };
}

function recommendationTable(
  recommendations: readonly Recommendation[],
  kept: readonly LedgerEntry[],
): Table {
  const ids = new Set(kept.map((it) => it.recommendation));
  return {
    caption: 'What was recommended, and whether it was kept when all were built and measured:',
    columns: ['Index', 'Predicted size, MB', 'Proof', 'Kept', 'Serves'],
    isText: true,
    rows: recommendations.map((it) => [
      it.statement.replace(/^CREATE INDEX (CONCURRENTLY )?\S+ ON /, ''),
      (it.sizeBytes / 1e6).toFixed(2),
      it.improvement.source,
      ids.has(it.id) ? 'yes' : 'no',
      it.serves.map(({ statement }) => statement).join(', '),
    ]),
  };
}

function statementTable(
  before: readonly StatementMeasure[],
  after: readonly StatementMeasure[],
  { forecast }: Advice,
): Table {
  const forecasts = new Map(forecast.map((it) => [it.statement, it.after]));
  return {
    caption: 'Statement by statement:',
    columns: ['Statement', 'Cost before', 'Predicted', 'Built', 'ms before', 'ms after'],
    rows: before.map((it, i) => [
      it.name,
      formatNumber(it.cost),
      formatNumber(forecasts.get(it.name)),
      formatNumber(after[i]?.cost),
      formatNumber(it.ms),
      formatNumber(after[i]?.ms),
    ]),
  };
}

function linesOf(
  title: string,
  before: readonly StatementMeasure[],
  after: readonly StatementMeasure[],
  { recommendations, elapsedMs }: Advice,
  bytes: number,
): readonly Line[] {
  const slowest = slowestRatio(before, after, MEASURABLE_MS);
  const line = (what: string, measured: number, bound: Line['bound'], limit: number, unit: string): Line => ({
    what: `${title}: ${what}`,
    measured,
    limit,
    bound,
    unit,
  });
  const found = (what: string, isIt: (it: Recommendation) => boolean, limit = 1) =>
    line(what, recommendations.filter(isIt).length, 'at least', limit, '');
  return [
    line('sum of planner cost', sumOf(after, 'cost'), 'at most', 51_500, ''),
    line('index bytes', bytes / 1_048_576, 'at most', BUDGET_MB, 'MB'),
    line('slowest statement after / before', slowest, 'at most', 1.3, ''),
    line('advisor', elapsedMs / 1_000, 'at most', 10, 's'),
    found('full text', (it) => it.method === 'gin' && it.columns.includes('fulltext')),
    found('trigram', (it) => it.statement.includes('gin_trgm_ops')),
    found('partial, rentals not returned', (it) => it.predicate === 'return_date IS NULL'),
    found('children of payment', (it) => it.table.name.startsWith('payment_p')),
  ];
}
