import { formatNumber, type Line, type SuiteResult, type Table } from '../../harness/report.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import { type PhaseResult, runDrift } from '../measure/drift.ts';
import { mean } from '../policies/judge.ts';
import { FLOOR } from '../world/shape.ts';

const BLOCKS = 6;

/** The world changes under a planner that has learned of another one. */
export async function runDriftSuite({ progress }: SuiteOptions, bench: RetrievalBench): Promise<SuiteResult> {
  const [seed = 1] = bench.seeds;
  const phases = await bench.withEmpty((url) => runDrift(url, bench.shapeOf(seed), progress));
  return {
    title: 'Drift',
    notes: [
      'One process, one planner, with the prior of the library. The changes add up. After each of them as many new questions as the blocks show; then the last third is',
      'asked again, by the planner and by every plan it may use in turn, twice: what is in memory is the same for all of them.',
    ],
    tables: [timesTable(phases), blocksTable(phases)],
    lines: phases.flatMap(linesOf),
    samples: phases,
  };
}

function timesTable(phases: readonly PhaseResult[]): Table {
  return {
    caption: 'Mean milliseconds of the last third, asked again:',
    columns: ['Since', 'planner', 'oracle', 'default plan', 'over oracle', 'mean recall', 'under 0.95, %'],
    rows: phases.map(({ name, answers, again }) => [
      name,
      ...[again.plannerMs, again.oracleMs, again.defaultMs, again.plannerMs / again.oracleMs].map(
        formatNumber,
      ),
      mean(answers.map((it) => it.recall)).toFixed(5),
      formatNumber(underPercent(answers)),
    ]),
  };
}

function blocksTable(phases: readonly PhaseResult[]): Table {
  return {
    caption: 'Mean milliseconds of the first answers, in six blocks one after the other:',
    columns: ['Since', ...Array.from({ length: BLOCKS }, (_, at) => `${at + 1}`)],
    rows: phases.map(({ name, answers }) => {
      const size = answers.length / BLOCKS;
      const blocks = Array.from({ length: BLOCKS }, (_, at) =>
        answers.slice(Math.round(at * size), Math.round((at + 1) * size)),
      );
      return [name, ...blocks.map((block) => formatNumber(mean(block.map((it) => it.wallMs))))];
    }),
  };
}

function linesOf({ name, answers, again }: PhaseResult): Line[] {
  return [
    {
      what: `Drift, ${name}: answers under recall ${FLOOR}`,
      measured: underPercent(answers),
      ...{ limit: 0.5, bound: 'at most', unit: '%' },
    },
    {
      what: `Drift, ${name}: over the oracle after ${answers.length} questions`,
      measured: again.plannerMs / again.oracleMs,
      ...{ limit: 1.3, bound: 'at most', unit: 'x' },
    },
  ];
}

const underPercent = (answers: PhaseResult['answers']): number =>
  (100 * answers.filter((it) => it.recall < FLOOR).length) / answers.length;
