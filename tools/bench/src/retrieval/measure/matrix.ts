import { RETRIEVAL_PLANS, type RetrievalPlanName } from '@peregrine/retrieval';

import type { Progress } from '../../harness/progress.ts';
import { median } from '../../harness/statistics.ts';
import type { RetrievalInput } from '../store/application.ts';
import { type StoredWorld, withLibrary } from '../store/bench-world.ts';
import type { Mode } from '../world/questions.ts';
import { CpuMeter } from './cpu-meter.ts';
import { ExactScan } from './exact-scan.ts';
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

type Runs = Partial<Record<Column, Run[]>>;

/** The server of the bench has no pgvector. */
const PLANS = RETRIEVAL_PLANS.filter((it) => it !== 'vector-index');
const COLUMNS: readonly Column[] = [...PLANS, 'exact-scan', 'first-page'];
/** Reads all codes of all chunks, up to four times: one repetition of it takes as long as all others together. */
/** Nothing is answered again in the background. */
const QUIET: RetrievalInput = { calibration: { share: 0 } };
const FEW = 5;
/** No database of vectors compares more than so many. */
const MOST_SCANNED = 40_000;
const ONCE: readonly Column[] = ['vector-first', 'exact-scan', 'first-page'];

function mannerOf(column: Exclude<Column, 'exact-scan'>): Manner {
  return column === 'first-page' ? { plan: 'filtered-vector', budgetMs: 1 } : { plan: column };
}

/**
 * Every question by every plan. One plan answers all questions before the next one does, so that what it finds in memory is what it would
 * find if it were always chosen; each begins in a library that has just been opened.
 */
export async function measureMatrix(
  stored: StoredWorld,
  repetitions: number,
  progress: Progress,
  options: RetrievalInput = {},
): Promise<Row[]> {
  const { world } = stored;
  const runs = world.questions.map((): Runs => ({}));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const column of COLUMNS) {
      if (repetition > 0 && ONCE.includes(column)) continue;
      const title = `${column}, repetition ${repetition + 1} of ${repetitions}`;
      await progress.count(title, runs.length, (done) =>
        runPass(stored, column, options, (index, run) => {
          if (run) ((runs[index] ??= {})[column] ??= []).push(run);
          done();
        }),
      );
    }
  }
  return world.questions.map(({ mode }, index) => ({
    mode,
    selectivity: (world.exact[index]?.passing ?? 0) / world.shape.chunks,
    twoHopSize: world.exact[index]?.twoHopSize ?? 0,
    runs: runs[index] ?? {},
  }));
}

async function runPass(
  stored: StoredWorld,
  column: Column,
  options: RetrievalInput,
  answered: (index: number, run?: Run) => void,
): Promise<void> {
  const asking = async (ask: (index: number) => Promise<Run>) => {
    for (const [index, { mode }] of stored.world.questions.entries()) {
      const isWanted = isAsked(column, mode, index, stored.world.exact[index]?.passing ?? 0);
      answered(index, isWanted ? await ask(index) : undefined);
    }
  };
  const meter = new CpuMeter(stored.pool);
  if (column !== 'exact-scan') {
    return withLibrary(stored, { ...QUIET, ...options }, (bench) =>
      asking((index) => runQuestion(bench, meter, index, mannerOf(column))),
    );
  }
  const scan = new ExactScan(stored);
  await scan.open();
  await asking((index) => scan.run(meter, index)).finally(() => scan.close());
}

export const wallOf = (runs: readonly Run[]): number => median(runs.map((it) => it.wallMs));
export const cpuOf = (runs: readonly Run[]): number => median(runs.map((it) => it.cpuMs));
/** The worst one: a plan that keeps the floor now and then does not keep it. */
export const recallOfRuns = (runs: readonly Run[]): number => Math.min(...runs.map((it) => it.recall));

function isAsked(column: Column, mode: Mode, index: number, passing: number): boolean {
  if (column === 'hybrid-parallel') return mode === 'boost';
  if (column === 'graph-first') return mode !== 'plain';
  // Where it never is the fastest, and takes the longest.
  if (column === 'vector-first') return mode === 'plain' || index % FEW === 0;
  return column !== 'exact-scan' || (mode === 'plain' && passing <= MOST_SCANNED);
}
