import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ProbeGroup, ProbeResult } from '@peregrine/cdn/testing';

import type { SuiteResult } from '../harness/report.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { type ServerId, SERVERS } from './servers/contract.ts';
import { nginxVersion } from './servers/nginx.ts';
import { startServer } from './servers/start-server.ts';

const GROUPS: readonly ProbeGroup[] = ['basics', 'negotiation', 'conditions', 'ranges', 'paths'];

/** Of problems that a process leaves that ends. */
const BROKEN = /ECONN|EPIPE|No answer|broke the connection/;

interface Outcome {
  readonly results: readonly ProbeResult[];
  /** How often the process ended in the course of a check. */
  readonly deaths: number;
}

/** What the black-box probe says of each server. */
export async function runChecksSuite({ progress }: SuiteOptions): Promise<SuiteResult> {
  const { PROBE_CHECKS, writeProbeFixture } = await import('@peregrine/cdn/testing');
  const hasNginx = (await nginxVersion()) !== undefined;
  const servers = (Object.keys(SERVERS) as ServerId[]).filter(
    (it) => it !== 'node-http' && (it !== 'nginx' || hasNginx),
  );
  const parent = await mkdtemp(join(tmpdir(), 'peregrine-bench-probe-'));
  try {
    const root = await writeProbeFixture(parent);
    const outcomes = new Map<ServerId, Outcome>();
    for (const it of servers) {
      outcomes.set(
        it,
        await progress.step(`${PROBE_CHECKS.length} checks of ${SERVERS[it]}`, () => probe(it, root)),
      );
    }
    return {
      title: 'Checks',
      notes: [
        'Checks passed, over raw sockets, of `npm run cdn:probe`: RFC 9110 and 9111, and some rules of ours that other servers may',
        'see otherwise (nosniff, immutable for hashed names alone, CDN-Cache-Control, one name for one content, no dotfiles). A',
        'server whose process ends is started again.',
      ],
      tables: [
        {
          caption: 'Checks passed:',
          columns: ['Server', 'all', 'of the RFCs', ...GROUPS, 'process ended'],
          rows: [...outcomes].map(([server, outcome]) => [SERVERS[server], ...cellsOf(outcome)]),
        },
      ],
      lines: (['peregrine', 'peregrine-fastify'] as const).map((it) => ({
        what: `Checks that fail on ${SERVERS[it]}`,
        measured:
          outcomes.get(it)?.results.filter(({ problem }) => problem !== undefined).length ?? Number.NaN,
        limit: 0,
        bound: 'at most',
        unit: '',
      })),
      samples: Object.fromEntries(
        [...outcomes].map(([server, { results }]) => [server, failuresIn(results)]),
      ),
    };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function probe(server: ServerId, root: string): Promise<Outcome> {
  const { PROBE_CHECKS, runProbe } = await import('@peregrine/cdn/testing');
  const results: ProbeResult[] = [];
  let running = await startServer(server, root);
  let deaths = 0;
  try {
    for (const check of PROBE_CHECKS) {
      const [result] = await runProbe(new URL(`http://127.0.0.1:${running.port}/`), { checks: [check] });
      if (result) results.push(result);
      if (!BROKEN.test(result?.problem ?? '')) continue;
      // The connection breaks before the process is gone.
      const hasEnded = await Promise.race([running.ended.then(() => true), delay(1_000).then(() => false)]);
      if (!hasEnded) continue;
      deaths++;
      running = await startServer(server, root);
    }
  } finally {
    await running.stop();
  }
  return { results, deaths };
}

function cellsOf({ results, deaths }: Outcome): string[] {
  const passed = (some: readonly ProbeResult[]) =>
    `${some.filter((it) => it.problem === undefined).length}/${some.length}`;
  return [
    passed(results),
    passed(results.filter((it) => it.check.source === 'RFC')),
    ...GROUPS.map((group) => passed(results.filter((it) => it.check.group === group))),
    String(deaths),
  ];
}

function failuresIn(results: readonly ProbeResult[]): Record<string, string> {
  const failed = results.flatMap(({ check, problem }) =>
    problem === undefined ? [] : [[`${check.group}: ${check.title}`, problem] as const],
  );
  return Object.fromEntries(failed);
}
