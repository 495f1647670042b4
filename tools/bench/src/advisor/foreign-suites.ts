import { advise, type Advice, IndexTrials, type LedgerEntry } from '@peregrine/query-optimizer';
import pg from 'pg';

import { formatNumber, type Line, type SuiteResult, type Table } from '../harness/report.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { loadFixture, readQueries, type WorkloadText } from './fixture.ts';
import { joinHeavyStatements } from './join-heavy.ts';
import {
  measureAgain,
  measureStatements,
  relativeTime,
  slowestRatio,
  type StatementMeasure,
  sumOf,
} from './measure.ts';
import { type AdvisorServers, withClient } from './servers.ts';

/** A workload that the advisor was not made for. */
interface Foreign {
  readonly name: 'decision-support' | 'join-heavy';
  readonly about: string;
  /** Of the schema's `bench.scale`. */
  readonly scale: number;
  readonly budgetMb: number;
  readonly statements: () => Promise<readonly WorkloadText[]> | readonly WorkloadText[];
}

const DECISION_SUPPORT: Foreign = {
  name: 'decision-support',
  about: '8 tables, 22 statements: aggregates of many rows, EXISTS, correlated subqueries, a view, HAVING',
  // Without indexes two statements take time by the square of it.
  scale: 0.4,
  budgetMb: 40,
  statements: () => readQueries('decision-support/queries'),
};
const JOIN_HEAVY: Foreign = {
  name: 'join-heavy',
  about: '21 tables, 113 statements that join 4 to 17 of them',
  scale: 1,
  budgetMb: 100,
  statements: joinHeavyStatements,
};
const QUICK_SCALE = 0.02;
const MEASURABLE_MS = 0.5;
/** As many times as long one may take, where others gain more: what trials tolerate by default. */
const TOLERATED = 3;
const MEBIBYTE = 1_048_576;

type Suite = (options: SuiteOptions, servers: AdvisorServers) => Promise<SuiteResult>;

const withHypoPg =
  (foreign: Foreign): Suite =>
  async (options, servers) =>
    run(foreign, 'with HypoPG', options, await servers.withHypoPg());

const withoutHypoPg =
  (foreign: Foreign): Suite =>
  async (options, servers) =>
    run(foreign, 'without HypoPG', options, await servers.embedded());

export const decisionSupportSuite = withHypoPg(DECISION_SUPPORT);
export const decisionSupportCloneSuite = withoutHypoPg(DECISION_SUPPORT);
export const joinHeavySuite = withHypoPg(JOIN_HEAVY);
export const joinHeavyCloneSuite = withoutHypoPg(JOIN_HEAVY);

async function run(
  foreign: Foreign,
  how: string,
  { isQuick, progress }: SuiteOptions,
  serverUrl: string,
): Promise<SuiteResult> {
  const title = `${foreign.name} ${how}`;
  const statements = await foreign.statements();
  const scale = isQuick ? QUICK_SCALE : foreign.scale;
  const url = await progress.step(`${title}: load`, () => loadFixture(serverUrl, foreign.name, scale));
  const runs = isQuick ? 1 : 3;
  const measure = () => withClient(url, (client) => measureStatements(client, statements, runs));
  const before = await progress.step(`${title}: measure without indexes`, measure);
  const source = new pg.Pool({ connectionString: url, max: 2 });
  try {
    const workload = statements.map(({ name: id, text }) => ({ id, text, calls: 1, totalMs: 0 }));
    const budgetBytes = foreign.budgetMb * MEBIBYTE;
    const advice = await progress.step(`${title}: advise`, () => advise(workload, { source, budgetBytes }));
    const candidates = advice.recommendations.map((plan) => ({
      plan,
      statements: workload.filter((it) => plan.serves.some(({ statement }) => statement === it.id)),
    }));
    const ledger = await progress.step(`${title}: build and judge`, () =>
      new IndexTrials({ source }).runTogether(candidates, {}, { watched: workload }),
    );
    await withClient(url, (client) => client.query('VACUUM ANALYZE'));
    const after = await progress.step(`${title}: measure again`, () =>
      withClient(url, (client) => measureAgain(client, statements, before, runs)),
    );
    return resultOf(foreign, title, { before, after, advice, ledger });
  } finally {
    await source.end();
  }
}

interface Outcome {
  readonly before: readonly StatementMeasure[];
  readonly after: readonly StatementMeasure[];
  readonly advice: Advice;
  readonly ledger: readonly LedgerEntry[];
}

function resultOf({ about, budgetMb }: Foreign, title: string, outcome: Outcome): SuiteResult {
  const { before, after, advice } = outcome;
  const line = (what: string, measured: number, limit: number, unit = ''): Line => {
    return { what: `${title}: ${what}`, measured, limit, bound: 'at most', unit };
  };
  return {
    title,
    notes: [
      `${about}; only primary keys are there; budget ${budgetMb} MB. Every statement counts the same.`,
      `Built and judged as "npm run optimizer -- apply" does; times are the best of three.`,
      ...advice.validation.notes,
    ],
    tables: [sumTable(outcome), statementTable(outcome)],
    lines: [
      line('skipped statements', advice.skipped.length, 0),
      line('sum of planner cost, after / before', sumOf(after, 'cost') / sumOf(before, 'cost'), 0.5),
      line('sum of time, after / before', sumOf(after, 'ms') / sumOf(before, 'ms'), 0.5),
      line('slowest statement after / before', slowestRatio(before, after, MEASURABLE_MS), TOLERATED),
      line('advisor', advice.elapsedMs / 1_000, 10, 's'),
    ],
    samples: { before, after, advice },
  };
}

function sumTable({ before, after, advice, ledger }: Outcome): Table {
  const kept = ledger.filter((it) => it.status === 'kept');
  const megabytes = kept.reduce((sum, it) => sum + (it.sizeBytes ?? 0), 0) / MEBIBYTE;
  const row = (what: string, indexes: string, measures: readonly StatementMeasure[]) => [
    what,
    indexes,
    formatNumber(sumOf(measures, 'cost')),
    formatNumber(sumOf(measures, 'ms')),
    relativeTime(before, measures).toFixed(3),
  ];
  return {
    caption: `Recommended ${advice.recommendations.length}, kept ${kept.length}; ${advice.planCount} plans were asked for:`,
    columns: ['Indexes', 'Number, MB', 'Planner cost', 'ms', 'Relative time'],
    rows: [
      row('primary keys', '0', before),
      row('**Peregrine**', `${kept.length}, ${formatNumber(megabytes)}`, after),
    ],
  };
}

/** Those with the most time to gain, and those that lost. */
function statementTable({ before, after }: Outcome): Table {
  const pairs = before.flatMap((it, i) => {
    const then = after[i];
    return then === undefined ? [] : [{ name: it.name, before: it, after: then }];
  });
  const heaviest = pairs.toSorted((a, b) => b.before.ms - a.before.ms).slice(0, 15);
  const slower = pairs
    .filter((it) => !heaviest.includes(it) && it.after.ms >= MEASURABLE_MS && it.after.ms > it.before.ms)
    .toSorted((a, b) => b.after.ms / b.before.ms - a.after.ms / a.before.ms)
    .slice(0, 5);
  return {
    caption: 'The longest statements, and those that lost most:',
    columns: ['Statement', 'Cost before', 'Cost after', 'ms before', 'ms after'],
    rows: [...heaviest, ...slower].map((it) => [
      it.name,
      formatNumber(it.before.cost),
      formatNumber(it.after.cost),
      formatNumber(it.before.ms),
      formatNumber(it.after.ms),
    ]),
  };
}
