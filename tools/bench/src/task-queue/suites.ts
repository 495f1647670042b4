import { formatNumber, formatRatio, type Line, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median, mediansOf } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { CLASSES } from './libraries/contract.ts';
import { type Suite, variantOf, type VariantId, variantsOf } from './libraries/variants.ts';
import type { MeasureInput } from './measure-worker.ts';
import type { CountsSample } from './measures/counts.ts';
import { type FloodSample, LOWER } from './measures/flood.ts';
import type { LatencySample } from './measures/latency.ts';
import { BATCH_SIZE, type BatchesSample, HANDLER_MS, type ProcessingSample } from './measures/processing.ts';
import type { SubmissionSample } from './measures/submission.ts';
import type { BenchStores } from '../harness/stores.ts';

type Samples<Sample> = ReadonlyMap<VariantId, Sample[]>;
type Measured<Sample> = ReadonlyMap<VariantId, Partial<Record<keyof Sample & string, number>>>;

const WORKER = new URL('measure-worker.ts', import.meta.url);

export async function runSubmissionSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const amount = options.isQuick ? 500 : 2_000;
  const samples = await collect<SubmissionSample>('submission', options, stores, () => amount);
  const measured = medians(samples);
  const beside = (store: 'redis' | 'postgres', field: keyof SubmissionSample, what: string) =>
    ratioLine(samples, `peregrine-${store}`, `bullmq-${store}`, field, 0.9, what);
  return {
    title: 'Submission',
    notes: [
      'Jobs a second into a store that is empty at first: one after the other, by 64 callers at a time, and a thousand a call.',
      'Only peregrine validates payloads, gives ids by itself and orders by deadlines here; the peers have no options but how long',
      'ended jobs are kept.',
    ],
    tables: [
      tableOf(measured, ['single', 'concurrent', 'bulk', 'bulkCpu'], {
        caption: 'Submission:',
        columns: ['Library', 'one by one, 1/s', '64 callers, 1/s', 'bulk, 1/s', 'CPU a job in bulk, µs'],
      }),
    ],
    lines: [
      rateLine(measured, 'peregrine-redis', 'bulk', 10_000, '`submitBatch` on Redis'),
      rateLine(measured, 'peregrine-postgres', 'bulk', 10_000, '`submitBatch` on PostgreSQL'),
      beside('redis', 'single', '`submit` on Redis beside `add` of bare BullMQ'),
      beside('redis', 'bulk', '`submitBatch` on Redis beside `addBulk` of bare BullMQ'),
      beside('postgres', 'single', '`submit` on PostgreSQL beside `add` of bare BullMQ'),
      beside('postgres', 'bulk', '`submitBatch` on PostgreSQL beside `addBulk` of bare BullMQ'),
    ],
    samples: Object.fromEntries(samples),
  };
}

export async function runProcessingSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const amountOf = (id: VariantId) => {
    const full = variantOf(id).store === 'redis' || id === 'graphile-worker-tuned' ? 20_000 : 6_000;
    return options.isQuick ? full / 4 : full;
  };
  const samples = await collect<ProcessingSample>('processing', options, stores, amountOf);
  return {
    title: 'Processing',
    notes: [
      'Jobs a second that wait when the worker starts, with ten handler calls at once that do nothing; one worker process.',
      'pg-boss fetches ten jobs for each of ten workers, graphile-worker one for each of ten, or 500 in advance where it says so.',
    ],
    tables: [
      tableOf(medians(samples), ['jobs', 'cpu'], {
        caption: 'Processing with ten handler calls at once:',
        columns: ['Library', 'jobs/s', 'CPU a job, µs'],
      }),
    ],
    lines: [
      ratioLine(
        samples,
        'peregrine-redis',
        'bullmq-redis',
        'jobs',
        0.9,
        'Processing on Redis beside bare BullMQ',
      ),
      ratioLine(
        samples,
        'peregrine-postgres',
        'bullmq-postgres',
        'jobs',
        3,
        "Processing on PostgreSQL beside bare BullMQ's PostgreSQL backend",
      ),
    ],
    samples: Object.fromEntries(samples),
  };
}

export async function runBatchesSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const amount = options.isQuick ? 4_000 : 16_000;
  const samples = await collect<BatchesSample>('batches', options, stores, () => amount);
  const measured = medians(samples);
  const line = (id: VariantId, limit: number): Line => ({
    what: `Batches of ${BATCH_SIZE} beside one by one, ${variantOf(id).name}`,
    measured: measured.get(id)?.ratio ?? Number.NaN,
    limit,
    bound: 'at least',
    unit: 'times its rate',
  });
  return {
    title: 'Batches',
    notes: [
      `A handler that takes ${HANDLER_MS} ms a call, one call at a time: with one job a call, then with up to ${BATCH_SIZE}. Each job`,
      'ends by itself. BullMQ has batches only in its paid edition, graphile-worker none.',
    ],
    tables: [
      tableOf(measured, ['oneByOne', 'batched', 'ratio'], {
        caption: `A ${HANDLER_MS} ms handler:`,
        columns: ['Library', 'one by one, jobs/s', `up to ${BATCH_SIZE} a call, jobs/s`, 'x'],
      }),
    ],
    lines: [line('peregrine-redis', 20), line('peregrine-postgres', 4)],
    samples: Object.fromEntries(samples),
  };
}

export async function runCountsSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const amount = options.isQuick ? 10_000 : 100_000;
  const samples = await collect<CountsSample>('counts', options, stores, () => amount);
  const measured = medians(samples);
  const line = (id: VariantId): Line => ({
    what: `\`stats\` with ${formatNumber(amount)} tasks, ${variantOf(id).name}, median`,
    measured: measured.get(id)?.p50 ?? Number.NaN,
    limit: 5,
    bound: 'at most',
    unit: 'ms',
  });
  return {
    title: 'Statistics',
    notes: [`Jobs by state with ${formatNumber(amount)} of them in the store, one question after the other.`],
    tables: [
      tableOf(measured, ['p50', 'p99'], {
        caption: 'Jobs by state:',
        columns: ['Library', 'p50, ms', 'p99, ms'],
      }),
    ],
    lines: [line('peregrine-redis'), line('peregrine-postgres')],
    samples: Object.fromEntries(samples),
  };
}

export async function runLatencySuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const samples = await collect<LatencySample>('latency', options, stores, () =>
    options.isQuick ? 40 : 200,
  );
  return {
    title: 'Latency of an idle queue',
    notes: [
      'From the call that submits to the call of the handler, in one process, with nothing else to do.',
    ],
    tables: [
      tableOf(medians(samples), ['p50', 'p99'], {
        caption: 'Submit to handler:',
        columns: ['Library', 'p50, ms', 'p99, ms'],
      }),
    ],
    lines: [],
    samples: Object.fromEntries(samples),
  };
}

export async function runFloodSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  const seconds = options.isQuick ? 3 : 6;
  // What is shown is an order; one round tells as much as many.
  const samples = await collect<FloodSample>('flood', { ...options, repetitions: 1 }, stores, () => seconds);
  const rows = [...samples].map(([id, [sample]]) => [
    variantOf(id).name,
    ...CLASSES.map((it) => {
      const begun = formatNumber(sample?.begun[it]);
      return it === 'CRITICAL' ? begun : `${begun} (${formatNumber(sample?.worstMs[it])} ms)`;
    }),
  ]);
  return {
    title: 'Priorities under a flood',
    notes: [
      `Two handler calls of 2 ms at once, a hundred CRITICAL jobs waiting at any time for ${seconds} s, and ${LOWER} of each lower class`,
      'from the start: how many began, and the longest wait. peregrine with promises of 0.5, 1, 2, 3 and 4 s; the priorities of',
      'BullMQ are strict.',
    ],
    tables: [{ caption: 'Jobs begun (longest wait):', columns: ['Library', ...CLASSES], rows }],
    lines: [],
    samples: Object.fromEntries(samples),
  };
}

function collect<Sample>(
  suite: Suite,
  { repetitions, progress }: SuiteOptions,
  stores: BenchStores,
  amountOf: (variant: VariantId) => number,
): Promise<Map<VariantId, Sample[]>> {
  return runRounds(variantsOf(suite), repetitions, progress, (variant) =>
    stores.withEmpty(variantOf(variant).store, (url) => {
      const input: MeasureInput = { variant, suite, url, amount: amountOf(variant) };
      return runWorker<Sample>(WORKER, input);
    }),
  );
}

function medians<Sample extends object>(samples: Samples<Sample>): Measured<Sample> {
  const of = (all: readonly Sample[]) =>
    mediansOf(all as readonly Partial<Record<keyof Sample & string, number>>[]);
  return new Map([...samples].map(([id, all]) => [id, of(all)]));
}

function tableOf<Sample>(
  measured: Measured<Sample>,
  fields: readonly (keyof Sample & string)[],
  { caption, columns }: Pick<Table, 'caption' | 'columns'>,
): Table {
  const rows = [...measured].map(([id, sample]) => [
    variantOf(id).name,
    ...fields.map((it) => (it === 'ratio' ? formatRatio(sample[it]) : formatNumber(sample[it]))),
  ]);
  return { caption, columns, rows };
}

function rateLine<Sample>(
  measured: Measured<Sample>,
  id: VariantId,
  field: keyof Sample & string,
  limit: number,
  what: string,
): Line {
  const value = measured.get(id)?.[field] ?? Number.NaN;
  return { what, measured: value, limit, bound: 'at least', unit: 'tasks/s' };
}

/** The median over the rounds of our figure beside the peer's of the same round. */
function ratioLine<Sample>(
  samples: Samples<Sample>,
  ours: VariantId,
  peer: VariantId,
  field: keyof Sample,
  limit: number,
  what: string,
): Line {
  const of = (id: VariantId) => (samples.get(id) ?? []).map((it) => Number(it[field]));
  const peers = of(peer);
  const ratios = of(ours).map((it, round) => it / (peers[round] ?? Number.NaN));
  return { what, measured: median(ratios), limit, bound: 'at least', unit: 'times its rate' };
}
