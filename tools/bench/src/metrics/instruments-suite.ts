import { formatNumber, formatRatio, type SuiteResult } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import type { InstrumentsInput, InstrumentsSample } from './instruments-worker.ts';
import { type RecorderId, RECORDERS } from './recorders.ts';

const WORKER = new URL('instruments-worker.ts', import.meta.url);

/** The bar of one request, nanoseconds. */
const LIMIT_NS = 200;

export async function runInstrumentsSuite({
  repetitions,
  isQuick,
  progress,
}: SuiteOptions): Promise<SuiteResult> {
  const ids = Object.keys(RECORDERS) as RecorderId[];
  const samples = await runRounds(ids, repetitions, progress, (recorder) =>
    runWorker<InstrumentsSample>(WORKER, {
      recorder,
      requests: isQuick ? 50_000 : 500_000,
    } satisfies InstrumentsInput),
  );
  const cost = (id: RecorderId) => median((samples.get(id) ?? []).map((it) => it.nanoseconds));
  return {
    title: 'Counting a request',
    notes: [
      'CPU of all instruments for one request: in flight, time and number by method, route and status class, sizes of both bodies',
      'by method and route; 20 routes. The clock is not read here. "x" is how often as much as peregrine.',
    ],
    tables: [
      {
        caption: 'One request:',
        columns: ['Library', 'CPU, ns', 'x'],
        rows: ids.map((id) => [
          RECORDERS[id],
          formatNumber(cost(id)),
          formatRatio(cost(id) / cost('peregrine')),
        ]),
      },
    ],
    lines: [
      {
        what: 'All instruments of one request',
        measured: cost('peregrine'),
        limit: LIMIT_NS,
        bound: 'at most',
        unit: 'ns',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}
