import { formatNumber, formatRatio, type SuiteResult } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { type ServiceId, SERVICES } from './hello-servers.ts';
import type { HelloInput, HelloSample } from './hello-worker.ts';

const WORKER = new URL('hello-worker.ts', import.meta.url);

/** What the full stack may cost beside the bare service. */
const LIMIT = 0.7;

export async function runHelloSuite({ repetitions, isQuick, progress }: SuiteOptions): Promise<SuiteResult> {
  const ids = Object.keys(SERVICES) as ServiceId[];
  const samples = await runRounds(ids, repetitions, progress, (service) =>
    runWorker<HelloSample>(WORKER, { service, windowMs: isQuick ? 150 : 400 } satisfies HelloInput),
  );
  const figure = (id: ServiceId, name: keyof HelloSample) =>
    median((samples.get(id) ?? []).map((it) => it[name]));
  return {
    title: 'A Nest service that says hello',
    notes: [
      'Answers a second on 32 connections, and CPU of the service for one; medians. "x" is the CPU of Nest on Fastify beside it:',
      'each service runs together with one, and they are asked in turn. 1 costs as much, below 1 costs more. The client runs on the',
      'same machine: trust the ratios more than answers a second.',
    ],
    tables: [
      {
        caption: 'Hello:',
        columns: ['Service', 'answers/s', 'CPU of an answer, µs', 'x'],
        rows: ids.map((id) => [
          SERVICES[id],
          formatNumber(figure(id, 'rate')),
          formatNumber(figure(id, 'cpu')),
          formatRatio(figure(id, 'ratio')),
        ]),
      },
    ],
    lines: [
      {
        what: 'Nest with timing, figures, limits and an API key beside Nest alone, by CPU',
        measured: figure('full', 'ratio'),
        limit: LIMIT,
        bound: 'at least',
        unit: 'times its speed',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}
