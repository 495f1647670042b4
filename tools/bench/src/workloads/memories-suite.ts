import { randomUUID } from 'node:crypto';

import { formatNumber, formatRatio, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { quantile } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import type { BenchStores } from '../harness/stores.ts';
import type { MemoriesInput, MemoriesSample } from './memories-worker.ts';

const WORKER = new URL('memories-worker.ts', import.meta.url);
const WAYS = ['naive', 'ours'] as const;
type Way = (typeof WAYS)[number];
const LATENCIES_MS = [0, 2_000] as const;

/** p95 at most, milliseconds. */
const LIMITS: Readonly<Record<keyof MemoriesSample, number>> = { add: 150, query: 300, bootstrap: 200 };
const NAMES: Readonly<Record<keyof MemoriesSample, string>> = {
  add: 'One memory added',
  query: 'Query, 20 hits',
  bootstrap: 'Bootstrap of 50',
};
const OPERATIONS = Object.keys(LIMITS) as (keyof MemoriesSample)[];

type Samples = ReadonlyMap<Way, readonly MemoriesSample[]>;

/** Adding, asking and beginning over a large workspace, with an embedder that is near and one that is far. */
export async function runMemoriesSuite(
  { repetitions, isQuick, progress }: SuiteOptions,
  stores: BenchStores,
): Promise<SuiteResult> {
  const memories = isQuick ? 5_000 : 100_000;
  const rounds = isQuick ? 1 : Math.min(repetitions, 3);
  const byLatency = new Map<number, Samples>();
  await stores.withEmpty('postgres', (databaseUrl) =>
    stores.withEmpty('redis', async (redisUrl) => {
      const workspaceId = randomUUID();
      await progress.step(`${memories} memories`, () => prepare(databaseUrl, workspaceId, memories));
      let seed = 0;
      for (const latencyMs of LATENCIES_MS) {
        const samples = await runRounds(WAYS, rounds, progress, (way) => {
          // The naive way takes seconds a query.
          const calls = way === 'ours' ? 100 : isQuick ? 2 : 5;
          const place = { databaseUrl, redisUrl, workspaceId };
          const input: MemoriesInput = { way, ...place, latencyMs, calls, seed: seed++ };
          return runWorker<MemoriesSample>(WORKER, input);
        });
        byLatency.set(latencyMs, samples);
      }
    }),
  );
  return {
    title: 'Memories',
    notes: [
      `${formatNumber(memories)} memories of a hundred words in one workspace; questions of the manuals that they are cut from.`,
      'Naive embeds while the caller waits, reads and compares all vectors, and writes hits and pairs one by one. Ours embeds adds in a',
      'task, and a query waits 150 ms for its embedding: with a far embedder it is answered by words until the embedding is cached.',
    ],
    tables: [...byLatency].map(([latencyMs, samples]) => tableOf(latencyMs, samples)),
    lines: [...byLatency].flatMap(([latencyMs, samples]) =>
      OPERATIONS.map((operation) => ({
        what: `${NAMES[operation]}, p95, embedder after ${latencyMs} ms`,
        measured: p(0.95, samples, 'ours', operation),
        ...{ limit: LIMITS[operation], bound: 'at most' as const, unit: 'ms' },
      })),
    ),
    samples: Object.fromEntries([...byLatency].map(([latencyMs, it]) => [latencyMs, Object.fromEntries(it)])),
  };
}

/** Loaded late: the libraries are built by the command that needs them. */
async function prepare(databaseUrl: string, workspaceId: string, memories: number): Promise<void> {
  const { migrate } = await import('./memories-application.ts');
  const { loadMemories, makeTexts } = await import('./memories-volume.ts');
  const { createDataSource } = await import('@peregrine/database');
  await migrate(databaseUrl);
  const source = await createDataSource({ url: databaseUrl }).initialize();
  await source.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'bench')`, [workspaceId]);
  await loadMemories(source, workspaceId, makeTexts(memories, 1));
  await source.destroy();
}

function tableOf(latencyMs: number, samples: Samples): Table {
  return {
    caption: `The embedder answers after ${formatNumber(latencyMs)} ms:`,
    columns: ['What', 'naive p50, ms', 'naive p95, ms', 'ours p50, ms', 'ours p95, ms', 'times faster, p50'],
    rows: OPERATIONS.map((operation) => [
      NAMES[operation],
      ...WAYS.flatMap((way) => [0.5, 0.95].map((q) => formatNumber(p(q, samples, way, operation)))),
      formatRatio(p(0.5, samples, 'naive', operation) / p(0.5, samples, 'ours', operation)),
    ]),
  };
}

function p(q: number, samples: Samples, way: Way, operation: keyof MemoriesSample): number {
  return quantile(
    (samples.get(way) ?? []).flatMap((it) => it[operation]),
    q,
  );
}
