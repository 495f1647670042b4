import { formatNumber, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { RECORDERS } from './recorders.ts';
import type { PageMaker, ScrapeInput, ScrapeSample } from './scrape-worker.ts';

const WORKER = new URL('scrape-worker.ts', import.meta.url);
const MAKERS: readonly PageMaker[] = ['peregrine', 'prom-client'];
/** The last one is the most that peregrine takes. */
const LABEL_SETS = [1_000, 20_000] as const;

/** No scrape may hold the event loop for longer, milliseconds. */
const LIMIT_MS = 20;

type Samples = ReadonlyMap<PageMaker, readonly ScrapeSample[]>;

export async function runScrapeSuite({ repetitions, isQuick, progress }: SuiteOptions): Promise<SuiteResult> {
  const sizes = isQuick ? LABEL_SETS.slice(0, 1) : LABEL_SETS;
  const bySize = new Map<number, Samples>();
  for (const labelSets of sizes) {
    const samples = await runRounds(MAKERS, repetitions, progress, (recorder) =>
      runWorker<ScrapeSample>(WORKER, { recorder, labelSets } satisfies ScrapeInput),
    );
    bySize.set(labelSets, samples);
  }
  const [largest, ofLargest] = [...bySize].at(-1) ?? [0, new Map<PageMaker, ScrapeSample[]>()];
  return {
    title: 'Answering a scrape',
    notes: [
      'A page of as many label sets of requests, each with two size histograms: the whole time, and the most CPU of the main thread',
      'between two turns of the event loop, in which nobody else is answered; garbage collection is in it.',
    ],
    tables: [...bySize].map(([labelSets, samples]) => tableOf(labelSets, samples)),
    lines: [
      {
        what: `A scrape of ${formatNumber(largest)} label sets holds the event loop`,
        measured: figure(ofLargest, 'peregrine', 'longestMs'),
        limit: LIMIT_MS,
        bound: 'at most',
        unit: 'ms',
      },
    ],
    samples: Object.fromEntries([...bySize].map(([size, samples]) => [size, Object.fromEntries(samples)])),
  };
}

function tableOf(labelSets: number, samples: Samples): Table {
  return {
    caption: `${formatNumber(labelSets)} label sets:`,
    columns: ['Library', 'page, MB', 'whole, ms', 'longest without a turn, CPU ms'],
    rows: MAKERS.map((id) => [
      RECORDERS[id],
      formatNumber(figure(samples, id, 'bytes') / 1e6),
      formatNumber(figure(samples, id, 'totalMs')),
      formatNumber(figure(samples, id, 'longestMs')),
    ]),
  };
}

function figure(samples: Samples, id: PageMaker, name: keyof ScrapeSample): number {
  return median((samples.get(id) ?? []).map((it) => it[name]));
}
