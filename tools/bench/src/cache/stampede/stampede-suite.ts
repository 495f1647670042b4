import { variantOf, type VariantId, variantsOf } from '../libraries/variants.ts';
import type { BenchRedis } from '../../harness/redis-server.ts';
import { formatNumber, type Line, type SuiteResult } from '../../harness/report.ts';
import { runRounds } from '../../harness/rounds.ts';
import { median } from '../../harness/statistics.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import { meetingPoint, runWorker } from '../../harness/worker-process.ts';
import type { StampedeInput, StampedeSample } from './stampede-worker.ts';

/** One repetition of one library. */
interface Repetition {
  readonly cold: StampedeSample;
  readonly failing: StampedeSample;
  /** One for each process; absent for libraries without a second tier. */
  readonly cluster?: readonly StampedeSample[];
}

const WORKER = new URL('stampede-worker.ts', import.meta.url);
const PROCESSES = 4;
const CALLERS_EACH = 50;

/** Many callers at once for one key that nobody has. */
export async function runStampedeSuite(
  { repetitions, isQuick, progress }: SuiteOptions,
  redis: BenchRedis,
): Promise<SuiteResult> {
  const variants = variantsOf('stampede');
  const rounds = isQuick ? 1 : repetitions;
  const samples = await runRounds(variants, rounds, progress, async (variant) => {
    const cold = await run({ variant, callers: 1_000, loaderMs: 20, isFailing: false });
    const failing = await run({ variant, callers: 200, loaderMs: 5, isFailing: true });
    if (!variantOf(variant).suites.includes('redis')) return { cold, failing };
    await redis.flush();
    return { cold, failing, cluster: await runCluster(variant, redis.url) };
  });
  return {
    title: 'Stampedes',
    notes: [
      '1,000 callers of one cold key with a loader of 20 ms; 200 callers of a loader that fails after 5 ms; and four',
      `processes with 50 callers each on one Redis, with a loader of 100 ms. Times are medians of ${rounds}, loads the most of`,
      'them. peregrine runs the last one with `singleFlight: "cluster"`; no other library here has such a thing.',
    ],
    tables: [
      {
        caption: 'Loads, and milliseconds until the last caller has its answer:',
        columns: [
          'Library',
          '1,000 callers: loads',
          'ms',
          '200 callers, failing: loads',
          'ms',
          'got the error',
          'got undefined',
          '4 x 50 callers: loads',
          'ms',
        ],
        rows: variants.map((id) => [variantOf(id).name, ...cellsOf(samples.get(id) ?? [])]),
      },
    ],
    lines: linesOf(samples.get('peregrine') ?? []),
    samples: Object.fromEntries(samples),
  };
}

const run = (input: StampedeInput, onReady: () => Promise<void> = () => Promise.resolve()) =>
  runWorker<StampedeSample>(WORKER, input, { onReady });

function runCluster(variant: VariantId, redisUrl: string): Promise<StampedeSample[]> {
  const input = { variant, callers: CALLERS_EACH, loaderMs: 100, isFailing: false, redisUrl };
  const together = meetingPoint(PROCESSES);
  return Promise.all(Array.from({ length: PROCESSES }, () => run(input, together)));
}

const most = (numbers: readonly number[]) => Math.max(...numbers);
const clusterLoads = (samples: readonly StampedeSample[]) => samples.reduce((sum, it) => sum + it.loads, 0);

function cellsOf(repetitions: readonly Repetition[]): string[] {
  const clusters = repetitions.map((it) => it.cluster).filter((it) => it !== undefined);
  return [
    String(most(repetitions.map((it) => it.cold.loads))),
    formatNumber(median(repetitions.map((it) => it.cold.ms))),
    String(most(repetitions.map((it) => it.failing.loads))),
    formatNumber(median(repetitions.map((it) => it.failing.ms))),
    formatNumber(median(repetitions.map((it) => it.failing.gotError))),
    formatNumber(median(repetitions.map((it) => it.failing.gotUndefined))),
    clusters.length === 0 ? 'n/a' : String(most(clusters.map(clusterLoads))),
    formatNumber(median(clusters.map((samples) => most(samples.map((it) => it.ms))))),
  ];
}

function linesOf(repetitions: readonly Repetition[]): Line[] {
  const loads = (what: string, counts: readonly number[]): Line => ({
    what,
    measured: most(counts),
    limit: 1,
    bound: 'at most',
    unit: 'load',
  });
  return [
    loads(
      '1,000 callers of a cold key',
      repetitions.map((it) => it.cold.loads),
    ),
    loads(
      '200 callers of a loader that fails',
      repetitions.map((it) => it.failing.loads),
    ),
    loads(
      '4 processes with 50 callers each',
      repetitions.map((it) => clusterLoads(it.cluster ?? [])),
    ),
    {
      what: 'Callers of 200 that get the error of the loader',
      measured: Math.min(...repetitions.map((it) => it.failing.gotError)),
      limit: 200,
      bound: 'at least',
      unit: 'callers',
    },
  ];
}
