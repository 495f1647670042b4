import { rm } from 'node:fs/promises';

import { formatNumber, formatRatio, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { type EdgeWorkload, writeEdgeWorkload } from './edge/edge-fixture.ts';
import type { EdgeInput, EdgeSample } from './edge/edge-worker.ts';
import { nginxVersion } from './servers/nginx.ts';

const WORKER = new URL('edge/edge-worker.ts', import.meta.url);
const FILES = 400;
const SETUPS = { alone: 'origin alone', edge: 'behind nginx' } as const;
type Setup = keyof typeof SETUPS;

/** Each request of the edge must spare the origin nine others. */
const LEAST_FACTOR = 10;

/** What nginx with the generated proxy configuration takes off the origin. */
export async function runEdgeSuite({ repetitions, isQuick, progress }: SuiteOptions): Promise<SuiteResult> {
  if ((await nginxVersion()) === undefined) return notInstalled();
  const requestCount = isQuick ? 4_000 : 40_000;
  const workload = await writeEdgeWorkload(FILES, requestCount);
  try {
    const samples = await runRounds(Object.keys(SETUPS) as Setup[], repetitions, progress, (setup) =>
      measure(workload, setup),
    );
    const of = (setup: Setup, field: keyof EdgeSample) =>
      median((samples.get(setup) ?? []).map((it) => it[field]));
    const factor = of('alone', 'originRequests') / of('edge', 'originRequests');
    return {
      title: 'Load of the origin behind nginx',
      notes: [
        `${formatNumber(requestCount)} requests for ${FILES} files of 1 to 64 KB (Zipf, exponent 0.99; three kinds of Accept-Encoding), from a`,
        'cold cache, on 32 connections; nginx, one worker, with the configuration of `npm run cdn -- nginx --proxy`. The same requests',
        'go to the origin alone. "x" is how often as much the origin has to do without nginx, which has',
        'read and compressed everything before.',
      ],
      tables: [tableOf(of)],
      lines: [
        {
          what: 'Requests at the origin without nginx beside those with it',
          measured: factor,
          limit: LEAST_FACTOR,
          bound: 'at least',
          unit: 'times as many',
        },
      ],
      samples: Object.fromEntries(samples),
    };
  } finally {
    await rm(workload.root, { recursive: true, force: true });
  }
}

function measure(workload: EdgeWorkload, setup: Setup): Promise<EdgeSample> {
  return runWorker<EdgeSample>(WORKER, {
    ...workload,
    isBehindNginx: setup === 'edge',
  } satisfies EdgeInput);
}

function tableOf(of: (setup: Setup, field: keyof EdgeSample) => number): Table {
  const seconds = (microseconds: number) => formatNumber(microseconds / 1_000_000);
  return {
    caption: 'The whole load:',
    columns: [
      'Setup',
      'requests at the origin',
      'x',
      'CPU of the origin, s',
      'x',
      'CPU of nginx, s',
      'MB sent',
    ],
    rows: (Object.keys(SETUPS) as Setup[]).map((setup) => [
      SETUPS[setup],
      formatNumber(of(setup, 'originRequests')),
      formatRatio(of('alone', 'originRequests') / of(setup, 'originRequests')),
      seconds(of(setup, 'originCpu')),
      formatRatio(of('alone', 'originCpu') / of(setup, 'originCpu')),
      setup === 'edge' ? seconds(of(setup, 'nginxCpu')) : '',
      formatNumber(of(setup, 'bytes') / 1_000_000),
    ]),
  };
}

function notInstalled(): SuiteResult {
  return {
    title: 'Load of the origin behind nginx',
    notes: ['Left out: nginx is not installed.'],
    tables: [],
    lines: [],
    samples: undefined,
  };
}
