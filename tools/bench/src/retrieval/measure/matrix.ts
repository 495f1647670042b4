import { RETRIEVAL_PLANS, type RetrievalPlanName } from '@peregrine/retrieval';

import type { Progress } from '../../harness/progress.ts';
import { median } from '../../harness/statistics.ts';
import { type BenchWorld, forgetAndWarm } from '../store/bench-world.ts';
import type { Mode } from '../world/questions.ts';
import { CpuMeter } from './cpu-meter.ts';
import { type Manner, type Run, runQuestion } from './run.ts';

/**
 * The plans; what databases of vectors do below their threshold, which is to compare all that passes the filter; and an answer after the first
 * page, whose z may be anything.
 */
export type Column = RetrievalPlanName | 'exact-scan' | 'first-page';

/** One question, asked in every way that its mode allows. */
export interface Row {
  readonly mode: Mode;
  /** Share of all chunks that pass. */
  readonly selectivity: number;
  readonly twoHopSize: number;
  readonly runs: Readonly<Partial<Record<Column, readonly Run[]>>>;
}

const COLUMNS: readonly Column[] = [...RETRIEVAL_PLANS, 'exact-scan', 'first-page'];
/** Reads all codes of all chunks, up to four times: one repetition of it takes as long as all others together. */
const ONCE: readonly Column[] = ['vector-first', 'first-page'];

function mannerOf(column: Column): Manner {
  if (column === 'exact-scan') return { plan: 'filtered-vector', recallFloor: 1 };
  return column === 'first-page' ? { plan: 'filtered-vector', budgetMs: 1 } : { plan: column };
}

/**
 * Every question by every plan. One plan answers all questions before the next one does, so that what it finds in memory is what it would
 * find if it were always chosen; each begins as after a write.
 */
export async function measureMatrix(
  bench: BenchWorld,
  repetitions: number,
  progress: Progress,
): Promise<Row[]> {
  const { world } = bench;
  const meter = new CpuMeter(bench.pool);
  const runs = world.questions.map((): Partial<Record<Column, Run[]>> => ({}));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const column of COLUMNS) {
      if (repetition > 0 && ONCE.includes(column)) continue;
      await progress.step(`${column}, repetition ${repetition + 1} of ${repetitions}`, async () => {
        await forgetAndWarm(bench);
        for (const [index, question] of world.questions.entries()) {
          if (!isApplicable(column, question.mode)) continue;
          (runs[index]![column] ??= []).push(await runQuestion(bench, meter, index, mannerOf(column)));
        }
      });
    }
  }
  return world.questions.map(({ mode }, index) => ({
    mode,
    selectivity: (world.exact[index]?.passing ?? 0) / world.shape.chunks,
    twoHopSize: world.exact[index]?.twoHopSize ?? 0,
    runs: runs[index] ?? {},
  }));
}

export const wallOf = (runs: readonly Run[]): number => median(runs.map((it) => it.wallMs));
export const cpuOf = (runs: readonly Run[]): number => median(runs.map((it) => it.cpuMs));
/** The worst one: a plan that keeps the floor now and then does not keep it. */
export const recallOfRuns = (runs: readonly Run[]): number => Math.min(...runs.map((it) => it.recall));

function isApplicable(column: Column, mode: Mode): boolean {
  if (column === 'hybrid-parallel') return mode === 'boost';
  if (column === 'graph-first') return mode !== 'plain';
  return column !== 'exact-scan' || mode === 'plain';
}
