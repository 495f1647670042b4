import { rm } from 'node:fs/promises';

import { formatNumber, formatRatio, type Line, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { writeFixture } from './fixture.ts';
import { type ServerId, SERVERS } from './servers/contract.ts';
import { nginxVersion } from './servers/nginx.ts';
import type { CaseId, ServingInput, ServingSample } from './serving-worker.ts';

type Samples = ReadonlyMap<ServerId, readonly ServingSample[]>;

const WORKER = new URL('serving-worker.ts', import.meta.url);
const TITLES: Readonly<Record<CaseId, string>> = {
  small: '10 KB',
  compressed: '10 KB, gzip',
  notModified: '304',
  large: '1 MB',
};

export async function runServingSuite({
  repetitions,
  isQuick,
  progress,
}: SuiteOptions): Promise<SuiteResult> {
  const hasNginx = (await nginxVersion()) !== undefined;
  const servers = (Object.keys(SERVERS) as ServerId[]).filter((it) => it !== 'nginx' || hasNginx);
  const root = await writeFixture();
  try {
    const samples = await runRounds(servers, repetitions, progress, (server) =>
      runWorker<ServingSample>(WORKER, {
        server,
        root,
        windowMs: isQuick ? 75 : 200,
      } satisfies ServingInput),
    );
    return {
      title: 'Serving files',
      notes: [
        'Answers a second on 32 connections, and CPU of the server process for one answer; medians. "x" is the CPU of node:http',
        'from memory beside it: each server runs together with one, and they are asked in turn, a fraction of a second each. 1',
        'costs as much, above 1 costs less. node:http has two contents and four fixed headers and looks at nothing;',
        'express.static has no compressed files, so it sends 10 KB as they are. The client runs on the same machine: trust the',
        'ratios more than answers a second.',
      ],
      tables: (Object.keys(TITLES) as CaseId[]).map((id) => tableOf(samples, id)),
      lines: [
        line(samples, 'small', 'peregrine', 'node-http', 0.85),
        line(samples, 'notModified', 'peregrine', 'node-http', 1),
        line(samples, 'large', 'peregrine', 'node-http', 0.8),
        line(samples, 'small', 'peregrine', 'fastify-static', 4),
        line(samples, 'small', 'peregrine-fastify', 'fastify-static', 4),
      ],
      samples: Object.fromEntries(samples),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function tableOf(samples: Samples, id: CaseId): Table {
  return {
    caption: `${TITLES[id]}:`,
    columns: ['Server', 'answers/s', 'CPU of an answer, µs', 'x'],
    rows: [...samples].map(([server, all]) => [
      SERVERS[server],
      formatNumber(median(all.map((it) => it[`${id}Rate`]))),
      formatNumber(median(all.map((it) => it[`${id}Cpu`]))),
      formatRatio(ratioOf(samples, id, server)),
    ]),
  };
}

/** How often as much CPU node:http from memory needs, in the same seconds. */
function ratioOf(samples: Samples, id: CaseId, server: ServerId): number {
  return median((samples.get(server) ?? []).map((it) => it[`${id}Ratio`]));
}

function line(samples: Samples, id: CaseId, ours: ServerId, peer: ServerId, limit: number): Line {
  return {
    what: `${TITLES[id]}: ${SERVERS[ours]} beside ${SERVERS[peer]}, by CPU`,
    measured: ratioOf(samples, id, ours) / (peer === 'node-http' ? 1 : ratioOf(samples, id, peer)),
    limit,
    bound: 'at least',
    unit: 'times its speed',
  };
}
