import { RETRIEVAL_PLANS } from '@peregrine/retrieval';

import { formatNumber, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import { quantile } from '../../harness/statistics.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import { type CertaintyBand, certaintyBands } from '../measure/certainty.ts';
import { type Column, type Row } from '../measure/matrix.ts';
import type { Run } from '../measure/run.ts';
import { cellOf, mean } from '../policies/judge.ts';
import { FLOOR } from '../world/shape.ts';

const MODES = ['plain', 'boost', 'within'] as const;
const COLUMNS: readonly Column[] = [...RETRIEVAL_PLANS, 'exact-scan'];
const MOST_UNDER_PERCENT = 0.5;
const LEAST_MEAN_RECALL = 0.999;
const TWO_DEVIATIONS = 2;

/** What the plot of recall by certainty shows. */
export interface PlansSamples {
  readonly bands: readonly CertaintyBand[];
}

/** Every question by every plan: what it costs, and whether the floor holds. */
export async function runPlansSuite(
  { repetitions, progress }: SuiteOptions,
  bench: RetrievalBench,
): Promise<SuiteResult> {
  const worlds: { seed: number; rows: readonly Row[] }[] = [];
  for (const seed of bench.seeds)
    worlds.push({ seed, rows: await bench.matrix(seed, repetitions, progress) });
  const rows = worlds.flatMap((it) => it.rows);
  const bands = certaintyBands(rows);
  return {
    title: 'Plans',
    notes: [
      `${formatNumber(bench.sizes.chunks)} chunks of 384 dimensions in clusters, ${formatNumber(bench.sizes.questions)} questions, worlds ${bench.seeds.join(', ')}.`,
      'Medians of the repetitions, `vector-first` and `exact-scan` once, the first for every fifth question of the modes of the graph only; the worst recall of them. Each plan begins with nothing in memory but codes, and answers all questions in',
      'turn. Processor time is that of the library and of the server. `exact-scan` compares all that passes the filter in one scan, as databases of vectors do',
      'below their threshold (up to 40,000). Recall is against every chunk compared in this process, with scores computed anew.',
    ],
    tables: [...MODES.map((mode) => tableOf(mode, rows)), worldsTable(worlds), bandsTable(bands)],
    lines: [...floorLines(worlds), certaintyLine(bands)],
    samples: { bands } satisfies PlansSamples,
  };
}

function tableOf(mode: Row['mode'], rows: readonly Row[]): Table {
  const asked = rows.filter((it) => it.mode === mode);
  const columns = COLUMNS.filter((it) => asked.some(({ runs }) => runs[it]));
  return {
    caption: `Mode ${mode}, ${asked.length} questions:`,
    columns: [
      'Plan',
      'mean, ms',
      'p50, ms',
      'p95, ms',
      'CPU, ms',
      'compared',
      'mean recall',
      'under 0.95, %',
    ],
    rows: columns.map((column) => {
      const cells = asked.filter((it) => it.runs[column]).map((it) => cellOf(it, column));
      const wall = cells.map((it) => it.wallMs);
      const runs = asked.flatMap((it) => it.runs[column] ?? []);
      return [
        column,
        ...[mean(wall), quantile(wall, 0.5), quantile(wall, 0.95), mean(cells.map((it) => it.cpuMs))].map(
          formatNumber,
        ),
        formatNumber(mean(runs.map((it) => it.compared))),
        recallOf(runs),
        formatNumber(underPercent(runs)),
      ];
    }),
  };
}

function worldsTable(worlds: readonly { seed: number; rows: readonly Row[] }[]): Table {
  return {
    caption: 'All plans together, by world:',
    columns: ['World', 'answers', 'mean recall', 'under 0.95, %', 'certified, %', 'complete, %'],
    rows: worlds.map(({ seed, rows }) => {
      const runs = answersOf(rows);
      const share = (status: Run['status']) =>
        formatNumber((100 * runs.filter((it) => it.status === status).length) / runs.length);
      return [
        ...[`${seed}`, formatNumber(runs.length), recallOf(runs), formatNumber(underPercent(runs))],
        ...[share('certified'), share('complete')],
      ];
    }),
  };
}

function bandsTable(bands: readonly CertaintyBand[]): Table {
  return {
    caption: 'Recall by the z that an answer says of itself, those after the first page included:',
    columns: ['z', 'answers', 'mean recall', 'under 0.95, %'],
    rows: bands.map(({ name, answers, meanRecall, under }) => [
      name,
      formatNumber(answers),
      formatRecall(meanRecall),
      formatNumber(100 * under),
    ]),
  };
}

function floorLines(worlds: readonly { seed: number; rows: readonly Row[] }[]): Line[] {
  return worlds.flatMap(({ seed, rows }) => [
    {
      what: `World ${seed}: answers of all plans under recall ${FLOOR}`,
      measured: underPercent(answersOf(rows)),
      ...{ limit: MOST_UNDER_PERCENT, bound: 'at most' as const, unit: '%' },
    },
    {
      what: `World ${seed}: mean recall of all plans`,
      measured: mean(answersOf(rows).map((it) => it.recall)),
      ...{ limit: LEAST_MEAN_RECALL, bound: 'at least' as const, unit: '' },
    },
  ]);
}

function certaintyLine(bands: readonly CertaintyBand[]): Line {
  const certain = bands.filter(({ name, answers }) => answers > 0 && parseFloat(name) >= TWO_DEVIATIONS);
  const answers = certain.reduce((sum, it) => sum + it.answers, 0);
  return {
    what: `Answers of z ≥ ${TWO_DEVIATIONS} under recall ${FLOOR}`,
    measured: (100 * certain.reduce((sum, it) => sum + it.under * it.answers, 0)) / answers,
    ...{ limit: 1, bound: 'at most', unit: '%' },
  };
}

/** Those that had the time they needed. */
const answersOf = (rows: readonly Row[]): Run[] =>
  rows.flatMap(({ runs }) => COLUMNS.flatMap((it) => runs[it] ?? []));

const recallOf = (runs: readonly Run[]): string => formatRecall(mean(runs.map((it) => it.recall)));

/** Three digits would hide what is missing. */
const formatRecall = (recall: number): string => (Number.isNaN(recall) ? 'n/a' : recall.toFixed(5));

const underPercent = (runs: readonly Run[]): number =>
  (100 * runs.filter((it) => it.recall < FLOOR).length) / runs.length;
