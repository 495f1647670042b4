import type { Servers } from '../harness/bench.ts';
import { BenchUsageError } from '../bench.errors.ts';
import type { BenchOptions } from '../harness/options.ts';
import { BenchPostgres } from '../harness/postgres-server.ts';
import type { Progress } from '../harness/progress.ts';
import type { Row } from './measure/matrix.ts';
import type { StoredWorld } from './store/bench-world.ts';
import type { WorldShape } from './world/shape.ts';
import type { World } from './world/world.ts';

const SEEDS: readonly number[] = [1, 2, 3];
const WHOLE = { chunks: 100_000, questions: 600, repetitions: 3 };
const QUICK = { chunks: 5_000, questions: 120, repetitions: 1 };
/** Processor time is that of the one process that answers; what is asked of is in memory. */
const SETTINGS = { max_parallel_workers_per_gather: '0', shared_buffers: '512MB' };

/** A PostgreSQL of our own, and what several suites need of it. */
export class RetrievalBench implements Servers {
  readonly versions: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly sizes: typeof WHOLE;
  /** Whether what was learned goes to the library. */
  readonly writesPrior: boolean;
  readonly #postgres: BenchPostgres;
  readonly #matrices = new Map<number, Promise<readonly Row[]>>();

  private constructor(postgres: BenchPostgres, { isQuick, flags }: BenchOptions<string>) {
    this.#postgres = postgres;
    this.versions = postgres.versions;
    this.sizes = isQuick ? QUICK : WHOLE;
    this.seeds = parseSeeds(flags['seeds']) ?? SEEDS;
    this.writesPrior = flags['write-prior'] === true;
  }

  /** @throws {EmbeddedPostgresError} {@link BenchUsageError} */
  static async start(options: BenchOptions<string>): Promise<RetrievalBench> {
    return new RetrievalBench(await BenchPostgres.start(SETTINGS), options);
  }

  /** Every question of a world by every plan; measured when it is first asked for. */
  matrix(seed: number, repetitions: number, progress: Progress): Promise<readonly Row[]> {
    const known = this.#matrices.get(seed);
    if (known) return known;
    const matrix = this.withWorld(seed, progress, async (stored) => {
      const { measureMatrix } = await import('./measure/matrix.ts');
      return measureMatrix(stored, Math.min(repetitions, this.sizes.repetitions), progress);
    });
    this.#matrices.set(seed, matrix);
    return matrix;
  }

  /** The questions of all other worlds; of all worlds when there is no seed. */
  async otherRows(seed: number | undefined, repetitions: number, progress: Progress): Promise<Row[]> {
    const rows: Row[] = [];
    for (const other of this.seeds) {
      if (other !== seed) rows.push(...(await this.matrix(other, repetitions, progress)));
    }
    return rows;
  }

  shapeOf(seed: number): WorldShape {
    const { chunks, questions } = this.sizes;
    return { seed, chunks, questions };
  }

  /** Runs the work over the world of a seed. */
  async withWorld<T>(
    seed: number,
    progress: Progress,
    work: (stored: StoredWorld) => Promise<T>,
  ): Promise<T> {
    const { makeWorld } = await import('./world/world.ts');
    const title = `world ${seed}: ${this.sizes.chunks} chunks, ${this.sizes.questions} questions`;
    const world = await progress.step(title, () => makeWorld(this.shapeOf(seed)));
    return this.withLoaded(world, work);
  }

  /** Runs the work over a world in a database of its own. */
  async withLoaded<T>(world: World, work: (stored: StoredWorld) => Promise<T>): Promise<T> {
    const { withStoredWorld } = await import('./store/bench-world.ts');
    return this.#postgres.withDatabase((url) => withStoredWorld(url, world, work));
  }

  /** Runs the work over an empty database, and throws it away. */
  withEmpty<T>(work: (url: string) => Promise<T>): Promise<T> {
    return this.#postgres.withDatabase(work);
  }

  stop(): Promise<void> {
    return this.#postgres.stop();
  }
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
