import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import { formatNumber, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import type { Row } from '../measure/matrix.ts';
import { type DecisionCost, measureDecisions } from '../policies/decision-cost.ts';
import { DEFAULT_PLAN, judge, type Judged, type Policy } from '../policies/judge.ts';
import { halves, learnedPolicy, learnPrior, taughtPlanner } from '../policies/learning.ts';
import { cutOffRule, cutOffThresholds, oracle, tuneRule } from '../policies/rules.ts';

/** Of the library, which loads it. */
const PRIOR_FILE = join(import.meta.dirname, '../../../../../libs/retrieval/prior.json');
const CUT_OFF = 'cut-off rule, best threshold';
const TUNED = 'rule tuned on the other half';
const USUAL = `always ${DEFAULT_PLAN}`;
const LEARNED = 'learned';
const ORACLE = 'oracle with floor';

/** By name, of one world. */
type Results = Readonly<Record<string, Judged>>;

/** Rules, the default plan, the planner and the oracle on the same measured times. */
export async function runPoliciesSuite(
  { repetitions, progress }: SuiteOptions,
  bench: RetrievalBench,
): Promise<SuiteResult> {
  const worlds = new Map<number, Results>();
  for (const seed of bench.seeds) {
    const rows = await bench.matrix(seed, repetitions, progress);
    const others = await bench.lessons(seed, repetitions, progress);
    const results = await progress.step(`policies, world ${seed}`, () => judgeAll(rows, others, bench, seed));
    worlds.set(seed, results);
  }
  const all = await bench.lessons(undefined, repetitions, progress);
  const decisions = await measureDecisions(await taughtPlanner(all, undefined, 1), all);
  if (bench.writesPrior) await writePrior(await learnPrior(all, 1));
  return {
    title: 'Choice of the plan',
    notes: [
      'The times are those of the plans above. The planner begins with a prior of the other worlds and of small ones, learns one half of the questions by one time of',
      'each plan, and chooses for the other half; the rule is tuned by grid on one half by medians and true counts, and judged on the other. The',
      'cut-off rule is the best of those of Vespa, Qdrant and Weaviate, with graph-first and hybrid-parallel where they have nothing. All plans go on',
      'until they are certain: no policy can break the floor. The oracle is the fastest plan of each question, known afterwards.',
    ],
    tables: [...[...worlds].map(([seed, it]) => tableOf(seed, it)), decisionsTable(decisions)],
    lines: [...[...worlds].flatMap(([seed, it]) => linesOf(seed, it)), ...decisionLines(decisions)],
    samples: Object.fromEntries(worlds),
  };
}

async function judgeAll(
  rows: readonly Row[],
  others: readonly Row[],
  { sizes }: RetrievalBench,
  seed: number,
): Promise<Results> {
  const cutOffs = Object.values(cutOffThresholds(sizes.chunks)).map((it) => judge(rows, cutOffRule(it)));
  const [cutOff] = cutOffs.sort((a, b) => a.meanMs - b.meanMs);
  const learned = await learnedPolicy(rows, await learnPrior(others, seed), seed);
  return {
    ...(cutOff && { [CUT_OFF]: cutOff }),
    [TUNED]: judge(rows, tunedPolicy(rows)),
    [USUAL]: judge(rows, () => DEFAULT_PLAN),
    [LEARNED]: judge(rows, learned),
    [ORACLE]: judge(rows, oracle),
  };
}

/** Each half by the rule of the other one. */
function tunedPolicy(rows: readonly Row[]): Policy {
  const rules = new Map<Row, Policy>();
  for (const [learned, judged] of halves(rows)) {
    const rule = tuneRule(learned);
    for (const row of judged) rules.set(row, rule);
  }
  return (row, index) => rules.get(row)?.(row, index) ?? DEFAULT_PLAN;
}

function tableOf(seed: number, results: Results): Table {
  return {
    caption: `World ${seed}:`,
    columns: [
      ...['Policy', 'mean, ms', 'p95, ms', 'p99, ms', 'CPU, ms', 'mean recall', 'under 0.95, %'],
      'slower than the default, %',
    ],
    rows: Object.entries(results).map(([name, it]) => [
      name,
      ...[it.meanMs, it.p95Ms, it.p99Ms, it.cpuMs].map(formatNumber),
      it.meanRecall.toFixed(5),
      ...[100 * it.under, 100 * it.regressed].map(formatNumber),
    ]),
  };
}

function linesOf(seed: number, results: Results): Line[] {
  const { [LEARNED]: learned, [CUT_OFF]: cutOff, [TUNED]: tuned, [ORACLE]: best } = results;
  const ratio = (other: Judged | undefined) => (learned?.meanMs ?? NaN) / (other?.meanMs ?? NaN);
  const atMost = (what: string, measured: number, limit: number, unit: string): Line => ({
    ...{ what: `World ${seed}: ${what}`, measured, limit, bound: 'at most', unit },
  });
  return [
    atMost('learned, answers under recall 0.95', 100 * (learned?.under ?? NaN), 0.5, '%'),
    {
      ...atMost('learned, mean recall', learned?.meanRecall ?? NaN, 0.999, ''),
      bound: 'at least',
    },
    atMost('mean time, learned over cut-off rule', ratio(cutOff), 0.5, 'x'),
    atMost('mean time, learned over oracle', ratio(best), 1.3, 'x'),
    atMost('mean time, learned over tuned rule', ratio(tuned), 0.85, 'x'),
    atMost('both twice and 5 ms slower than the default plan', 100 * (learned?.regressed ?? NaN), 2, '%'),
  ];
}

function decisionsTable({ freshUs, cachedUs }: DecisionCost): Table {
  return {
    caption: 'One decision of a taught planner, microseconds:',
    columns: ['Question', 'p50', 'p95'],
    rows: [
      ['of a new kind', ...[freshUs.p50, freshUs.p95].map(formatNumber)],
      ['remembered', ...[cachedUs.p50, cachedUs.p95].map(formatNumber)],
    ],
  };
}

function decisionLines({ freshUs, cachedUs }: DecisionCost): Line[] {
  return [
    { what: 'Decision of a new kind, p50', measured: freshUs.p50, limit: 30, bound: 'at most', unit: 'µs' },
    { what: 'Decision remembered, p50', measured: cachedUs.p50, limit: 1, bound: 'at most', unit: 'µs' },
  ];
}

async function writePrior(prior: unknown): Promise<void> {
  const options = { ...(await resolveConfig(PRIOR_FILE)), filepath: PRIOR_FILE };
  await writeFile(PRIOR_FILE, await format(JSON.stringify(prior), options));
}
