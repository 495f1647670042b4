import { formatNumber, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import { quantile } from '../../harness/statistics.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import type { Row } from '../measure/matrix.ts';
import { type LiveRun, runLive } from '../measure/live.ts';
import { cellOf, DEFAULT_PLAN, mean } from '../policies/judge.ts';
import { learnPrior } from '../policies/learning.ts';
import { learnOnline } from '../policies/online.ts';
import { oracle, tuneRule } from '../policies/rules.ts';
import { withLibrary } from '../store/bench-world.ts';
import { FLOOR } from '../world/shape.ts';

const ORDERS = 5;
const FIRST = 100;
/** Of six hundred, the last two hundred. */
const LAST_SHARE = 1 / 3;
const BLOCK = 50;

/** One way through the questions: what each took, beside the oracle, the default plan and the rule. Milliseconds. */
interface Way {
  readonly name: string;
  readonly costMs: readonly number[];
  readonly oracleMs: readonly number[];
  readonly defaultMs: readonly number[];
  readonly ruleMs: readonly number[];
}

/** What the plot of regret shows: means of blocks of questions, over the oracle's. */
export interface OnlineSamples {
  readonly block: number;
  readonly curves: readonly { readonly name: string; readonly regretMs: readonly number[] }[];
}

/** The planner with nothing but its prior and what it sees: by recorded times in several orders, and live. */
export async function runOnlineSuite(
  { repetitions, progress }: SuiteOptions,
  bench: RetrievalBench,
): Promise<SuiteResult> {
  const [seed = 1] = bench.seeds;
  const rows = await bench.matrix(seed, repetitions, progress);
  const prior = await learnPrior(await bench.lessons(seed, repetitions, progress), seed);
  const recorded: Way[] = [];
  for (let order = 1; order <= ORDERS; order++) {
    const { order: indexes, costMs } = await progress.step(
      `order ${order} of ${ORDERS}, by recorded times`,
      () => learnOnline(rows, prior, order),
    );
    recorded.push(wayOf(`order ${order}`, rows, indexes, costMs));
  }
  const live = await bench.withWorld(bench.shapeOf(seed), progress, (stored) =>
    progress.step('live', () =>
      withLibrary(stored, { chooser: { prior: prior ?? false } }, (library) => runLive(library)),
    ),
  );
  const liveWay = wayOf(
    'live',
    rows,
    [...rows.keys()],
    live.answers.map((it) => it.wallMs),
  );
  return {
    title: 'Learning on line',
    notes: [
      `World ${seed}, with a prior of the other worlds. The planner sees the time of the plan that it chose and nothing else; exploration and plans that`,
      'were given up are part of the time. Recorded times are one repetition by lot; the oracle knows the medians of all.',
    ],
    tables: [waysTable([...recorded, liveWay]), liveTable(live)],
    lines: [...wayLines('recorded orders', recorded), ...wayLines('live', [liveWay]), ...liveLines(live)],
    samples: samplesOf(recorded, liveWay),
  };
}

function wayOf(name: string, rows: readonly Row[], order: readonly number[], costMs: readonly number[]): Way {
  const asked = order.map((index) => rows[index]!);
  const rule = tuneRule(rows);
  return {
    ...{ name, costMs },
    oracleMs: asked.map((row, at) => cellOf(row, oracle(row, at)).wallMs),
    defaultMs: asked.map((row) => cellOf(row, DEFAULT_PLAN).wallMs),
    ruleMs: asked.map((row, at) => cellOf(row, rule(row, at)).wallMs),
  };
}

const last = (values: readonly number[]) => values.slice(-Math.round(values.length * LAST_SHARE));
const first = (values: readonly number[]) => values.slice(0, FIRST);

function waysTable(ways: readonly Way[]): Table {
  return {
    caption: 'Mean milliseconds:',
    columns: [
      'Order',
      'all',
      'oracle',
      'default plan',
      'first 100',
      'rule, first 100',
      'last third',
      'oracle, last third',
    ],
    rows: ways.map(({ name, costMs, oracleMs, defaultMs, ruleMs }) => [
      name,
      ...[costMs, oracleMs, defaultMs, first(costMs), first(ruleMs), last(costMs), last(oracleMs)].map((it) =>
        formatNumber(mean(it)),
      ),
    ]),
  };
}

function wayLines(name: string, ways: readonly Way[]): Line[] {
  const sum = (of: (way: Way) => readonly number[]) => mean(ways.flatMap(of));
  return [
    {
      what: `On line, ${name}: last third over the oracle`,
      measured: sum((it) => last(it.costMs)) / sum((it) => last(it.oracleMs)),
      ...{ limit: 1.3, bound: 'at most', unit: 'x' },
    },
    {
      what: `On line, ${name}: first ${FIRST} over the rule`,
      measured: sum((it) => first(it.costMs)) / sum((it) => first(it.ruleMs)),
      ...{ limit: 1, bound: 'at most', unit: 'x' },
    },
  ];
}

function liveTable({ answers, stages, reasons }: LiveRun): Table {
  const count = [...Map.groupBy(answers, (it) => it.plan)].map(([plan, of]) => `${plan} ${of.length}`);
  return {
    caption: 'Live:',
    columns: ['What', 'Value'],
    isText: true,
    rows: [
      ['plans', count.join(', ')],
      [
        'reasons',
        Object.entries(reasons)
          .map(([reason, n]) => `${reason} ${n}`)
          .join(', '),
      ],
      ...Object.entries(stages).map(([stage, times]) => [
        `stage ${stage}, p50 / p95`,
        `${formatNumber(1_000 * quantile(times, 0.5))} / ${formatNumber(1_000 * quantile(times, 0.95))} µs`,
      ]),
    ],
  };
}

function liveLines({ answers, stages, longestTurnMs }: LiveRun): Line[] {
  const under = answers.filter((it) => it.recall < FLOOR).length / answers.length;
  const line = (what: string, measured: number, limit: number, unit: string): Line => ({
    ...{ what: `Live: ${what}`, measured, limit, bound: 'at most', unit },
  });
  return [
    line(`answers under recall ${FLOOR}`, 100 * under, 0.5, '%'),
    line('probe, p50', quantile(stages['probe'] ?? [], 0.5), 0.1, 'ms'),
    line('decision, p50', 1_000 * quantile(stages['choose'] ?? [], 0.5), 30, 'µs'),
    line('longest turn of the event loop', longestTurnMs, 5, 'ms'),
  ];
}

function samplesOf(recorded: readonly Way[], live: Way): OnlineSamples {
  const orderMean = (of: (way: Way) => readonly number[]) =>
    (recorded[0]?.costMs ?? []).map((_, at) => mean(recorded.map((it) => of(it)[at] ?? 0)));
  const oracleMs = orderMean((it) => it.oracleMs);
  const curve = (name: string, costMs: readonly number[], bestMs: readonly number[]) => ({
    name,
    regretMs: blocksOf(costMs.map((it, at) => it - (bestMs[at] ?? 0))),
  });
  return {
    block: BLOCK,
    curves: [
      curve(
        'planner, 5 orders',
        orderMean((it) => it.costMs),
        oracleMs,
      ),
      curve('planner, live', live.costMs, live.oracleMs),
      curve(
        'default plan',
        orderMean((it) => it.defaultMs),
        oracleMs,
      ),
      curve(
        'tuned rule',
        orderMean((it) => it.ruleMs),
        oracleMs,
      ),
    ],
  };
}

function blocksOf(values: readonly number[]): number[] {
  return Array.from({ length: Math.floor(values.length / BLOCK) }, (_, at) =>
    mean(values.slice(at * BLOCK, (at + 1) * BLOCK)),
  );
}
