import type { Servers } from '../harness/bench.ts';
import { BenchUsageError } from '../bench.errors.ts';
import type { BenchOptions } from '../harness/options.ts';
import { BenchPostgres } from '../harness/postgres-server.ts';
import type { Progress } from '../harness/progress.ts';
import type { Row } from './measure/matrix.ts';
import type { StoredWorld } from './store/bench-world.ts';
import type { WorldShape } from './world/shape.ts';

const SEEDS: readonly number[] = [1, 2, 3];
const WHOLE = {
  ...{ chunks: 100_000, questions: 600, repetitions: 3 },
  /** A planner trusts its prior no farther than the sizes that it was learned from. */
  small: { seed: 101, chunks: [500, 2_000, 7_000, 25_000], questions: 150 },
};
const QUICK: typeof WHOLE = {
  ...{ chunks: 5_000, questions: 120, repetitions: 1 },
  small: { seed: 101, chunks: [500, 2_000], questions: 60 },
};
/** Processor time is that of the one process that answers; what is asked of is in memory. */
const SETTINGS = { max_parallel_workers_per_gather: '0', shared_buffers: '512MB' };

type BenchPlan = Pick<RetrievalBench, 'sizes' | 'seeds' | 'writesPrior'>;

/** A PostgreSQL of our own, and what several suites need of it. */
export class RetrievalBench implements Servers {
  readonly versions: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly sizes: typeof WHOLE;
  /** Whether what was learned goes to the library. */
  readonly writesPrior: boolean;
  readonly #postgres: BenchPostgres;
  readonly #matrices = new Map<string, Promise<readonly Row[]>>();

  private constructor(postgres: BenchPostgres, plan: BenchPlan) {
    this.#postgres = postgres;
    this.versions = postgres.versions;
    this.sizes = plan.sizes;
    this.seeds = plan.seeds;
    this.writesPrior = plan.writesPrior;
  }

  /** @throws {EmbeddedPostgresError} {@link BenchUsageError} before anything is started */
  static async start(options: BenchOptions<string>): Promise<RetrievalBench> {
    const plan = planOf(options);
    return new RetrievalBench(await BenchPostgres.start(SETTINGS), plan);
  }

  /** Every question of the world of a seed by every plan; measured when it is first asked for. */
  matrix(seed: number, repetitions: number, progress: Progress): Promise<readonly Row[]> {
    return this.#matrixOf(this.shapeOf(seed), Math.min(repetitions, this.sizes.repetitions), progress);
  }

  /** What a prior is learned from: the questions of all worlds but one, once, and those of smaller worlds. */
  async lessons(without: number | undefined, repetitions: number, progress: Progress): Promise<Row[]> {
    const { seed, chunks, questions } = this.sizes.small;
    const rows: Row[] = [];
    for (const [at, count] of chunks.entries()) {
      rows.push(...(await this.#matrixOf({ seed: seed + at, chunks: count, questions }, 1, progress)));
    }
    for (const other of this.seeds) {
      if (other !== without) rows.push(...(await this.matrix(other, repetitions, progress)));
    }
    return rows;
  }

  shapeOf(seed: number): WorldShape {
    const { chunks, questions } = this.sizes;
    return { seed, chunks, questions };
  }

  /** Runs the work over a world in a database of its own. */
  async withWorld<T>(
    shape: WorldShape,
    progress: Progress,
    work: (stored: StoredWorld) => Promise<T>,
  ): Promise<T> {
    const { makeWorld } = await import('./world/world.ts');
    const { withStoredWorld } = await import('./store/bench-world.ts');
    const title = `world ${shape.seed}: ${shape.chunks} chunks, ${shape.questions} questions`;
    const world = await progress.step(title, () => makeWorld(shape));
    return this.#postgres.withDatabase((url) => withStoredWorld(url, world, work));
  }

  /** Runs the work over an empty database, and throws it away. */
  withEmpty<T>(work: (url: string) => Promise<T>): Promise<T> {
    return this.#postgres.withDatabase(work);
  }

  #matrixOf(shape: WorldShape, repetitions: number, progress: Progress): Promise<readonly Row[]> {
    const key = JSON.stringify(shape);
    const known = this.#matrices.get(key);
    if (known) return known;
    const matrix = this.withWorld(shape, progress, async (stored) => {
      const { measureMatrix } = await import('./measure/matrix.ts');
      return measureMatrix(stored, repetitions, progress);
    });
    this.#matrices.set(key, matrix);
    return matrix;
  }

  stop(): Promise<void> {
    return this.#postgres.stop();
  }
}

/** @throws {BenchUsageError} */
function planOf({ isQuick, flags }: BenchOptions<string>): BenchPlan {
  const sizes = isQuick ? QUICK : WHOLE;
  return {
    sizes: { ...sizes, chunks: parseCount('chunks', flags) ?? sizes.chunks },
    seeds: parseSeeds(flags['seeds']) ?? SEEDS,
    writesPrior: flags['write-prior'] === true,
  };
}

/** @throws {BenchUsageError} */
function parseCount(name: string, flags: BenchOptions<string>['flags']): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const count = /^\d{3,6}$/.test(String(text)) ? Number(text) : 0;
  if (count >= 100) return count;
  throw new BenchUsageError(
    `--${name}: given ${JSON.stringify(text)}, expected a whole number from 100 to 999999`,
  );
}

/** @throws {BenchUsageError} */
function parseSeeds(text: string | boolean | undefined): readonly number[] | undefined {
  if (typeof text !== 'string') return undefined;
  const seeds = text.split(',').map((it) => (/^\s*\d{1,6}\s*$/.test(it) ? Number(it) : NaN));
  if (seeds.every((it) => it >= 1)) return [...new Set(seeds)];
  throw new BenchUsageError(
    `--seeds: given ${JSON.stringify(text)}, expected numbers from 1 on, with commas`,
  );
}
