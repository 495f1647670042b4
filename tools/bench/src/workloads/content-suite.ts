import { formatNumber, formatRatio, type SuiteResult } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import type { BenchStores } from '../harness/stores.ts';
import type { ContentInput, ContentSample } from './content-worker.ts';

const WORKER = new URL('content-worker.ts', import.meta.url);
const WAYS = { naive: 'naive', ours: 'ours' } as const;
type Way = keyof typeof WAYS;

const CONVERSION_AT_LEAST = 10;
const SYNC_AT_LEAST = 4;

/** Conversion and sync, each time from the beginning, and as the library does them. */
export async function runContentSuite(
  { repetitions, isQuick, progress }: SuiteOptions,
  stores: BenchStores,
): Promise<SuiteResult> {
  const size = isQuick ? { files: 200, conversions: 20 } : { files: 2_000, conversions: 100 };
  const samples = await runRounds(Object.keys(WAYS) as Way[], repetitions, progress, (way) =>
    stores.withEmpty('postgres', (databaseUrl) =>
      stores.withEmpty('redis', (redisUrl) =>
        runWorker<ContentSample>(WORKER, { way, databaseUrl, redisUrl, ...size } satisfies ContentInput),
      ),
    ),
  );
  const of = (way: Way, measure: keyof ContentSample) =>
    median((samples.get(way) ?? []).map((it) => it[measure]));
  const ratio = (measure: keyof ContentSample) => of('naive', measure) / of('ours', measure);
  const row = (what: string, measure: keyof ContentSample) => [
    what,
    ...[formatNumber(of('naive', measure)), formatNumber(of('ours', measure)), formatRatio(ratio(measure))],
  ];
  return {
    title: 'Conversion and sync',
    notes: [
      `A Markdown file of 46 KB to HTML, asked for ${size.conversions} times after the first: naive reads and converts each time, in the same threads.`,
      `A folder of ${size.files} files of 2 KB, 1 % of them changed since the first sync: naive uploads all, eight at once as ours.`,
    ],
    tables: [
      {
        caption: 'Medians, ms:',
        columns: ['What', 'Naive', 'Ours', 'Times faster'],
        rows: [row('One conversion, repeated', 'conversionMs'), row('The second sync', 'syncMs')],
      },
    ],
    lines: [
      {
        what: 'Repeated conversion',
        measured: ratio('conversionMs'),
        limit: CONVERSION_AT_LEAST,
        bound: 'at least',
        unit: 'times',
      },
      {
        what: 'Sync of 1 %',
        measured: ratio('syncMs'),
        limit: SYNC_AT_LEAST,
        bound: 'at least',
        unit: 'times',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}
