// eslint-disable-next-line @nx/enforce-module-boundaries -- loaded in a worker, after the build
import { createDataSource } from '@peregrine/database';
import { BootstrapService, FeedbackService, MemoryAddService, MemoryQueryService } from '@peregrine/memories';

import { serveWorker } from '../harness/worker.ts';
import { embedderAfter, openMemories } from './memories-application.ts';
import { NaiveMemories } from './memories-naive.ts';
import { makeTexts, questions } from './memories-volume.ts';

export interface MemoriesInput {
  readonly way: 'naive' | 'ours';
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly workspaceId: string;
  /** Of the embedder, milliseconds. */
  readonly latencyMs: number;
  readonly calls: number;
  /** What is added differs from process to process. */
  readonly seed: number;
}

/** Of one process: the time of each call, milliseconds. */
export interface MemoriesSample {
  readonly add: readonly number[];
  readonly query: readonly number[];
  readonly bootstrap: readonly number[];
}

const HITS = 20;
const BOOTSTRAP = 50;

await serveWorker<MemoriesInput, MemoriesSample>(async (input) => {
  const contents = makeTexts(input.calls, 1_000 + input.seed);
  const asked = questions().slice(input.seed, input.seed + input.calls);
  return input.way === 'naive' ? measureNaive(input, contents, asked) : measureOurs(input, contents, asked);
});

async function measureNaive(
  { databaseUrl, workspaceId, latencyMs, calls }: MemoriesInput,
  contents: readonly string[],
  asked: readonly string[],
): Promise<MemoriesSample> {
  const source = await createDataSource({ url: databaseUrl }).initialize();
  const naive = new NaiveMemories(source, embedderAfter(latencyMs));
  const sample = {
    add: await timesOf(contents, (it) => naive.add(workspaceId, it)),
    query: await timesOf(asked, (it) => naive.query(workspaceId, it, HITS)),
    bootstrap: await timesOf(Array(calls).fill(BOOTSTRAP), (it: number) => naive.bootstrap(workspaceId, it)),
  };
  await source.destroy();
  return sample;
}

async function measureOurs(
  { databaseUrl, redisUrl, workspaceId, latencyMs }: MemoriesInput,
  contents: readonly string[],
  asked: readonly string[],
): Promise<MemoriesSample> {
  const app = await openMemories(databaseUrl, redisUrl, embedderAfter(latencyMs));
  const adding = app.get(MemoryAddService);
  const querying = app.get(MemoryQueryService);
  const bootstraps = app.get(BootstrapService);
  const sample = {
    add: await timesOf(contents, (it) => adding.add(workspaceId, [it])),
    query: await timesOf(asked, (query) => querying.query(workspaceId, { query, limit: HITS })),
    // Every other one after a write, which empties the cache.
    bootstrap: await timesOf(contents, (_, n) =>
      bootstraps.bootstrap(workspaceId, BOOTSTRAP - Math.floor(n / 2)),
    ),
  };
  await app.get(FeedbackService).flush();
  await app.close();
  return sample;
}

async function timesOf<T>(
  items: readonly T[],
  work: (item: T, n: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const [n, item] of items.entries()) {
    const start = performance.now();
    await work(item, n);
    times.push(performance.now() - start);
  }
  return times;
}
