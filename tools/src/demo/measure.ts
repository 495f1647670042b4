import type { ApiClient } from './api-client.ts';
import type { ImportedFile } from './import-folder.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

const LOADED_FILES = 30;
const WARM_ROUNDS = 5;
const CONCURRENT_REQUESTS = 1_000;
/** Default of STORAGE_DATABASE_MAX_BYTES. */
const DATABASE_OBJECT_BYTES = 16_384;
const QUERIES = [
  'install',
  'license',
  'typescript',
  'stream',
  'promise',
  'cache',
  'postgres',
  '"command line"',
  'redis or valkey',
  'parser -yaml',
  'worker threads',
  'security policy',
  'changelog',
  'unicode',
  'compression',
];

export interface ColdAndWarm {
  readonly cold: Percentiles;
  readonly warm: Percentiles;
  /** Of the medians. */
  readonly timesFaster: number;
}

/** Each file once with a cold cache, then again and again. */
export function measureFileLoads(
  api: ApiClient,
  workspaceId: string,
  files: readonly ImportedFile[],
): Promise<ColdAndWarm> {
  return measureColdAndWarm(
    api,
    spread(files, LOADED_FILES).map((it) => contentPath(workspaceId, it)),
  );
}

/** Each query once, then again and again. */
export function measureSearches(api: ApiClient, workspaceId: string): Promise<ColdAndWarm> {
  return measureColdAndWarm(
    api,
    QUERIES.map((query) => `/workspaces/${workspaceId}/search?q=${encodeURIComponent(query)}`),
  );
}

export interface ConcurrentLoads extends Percentiles {
  readonly errors: number;
  readonly requestsPerSecond: number;
  /** How many asked for a file that is too large to be kept in the database. */
  readonly outsideDatabase: number;
}

/** All requests at once, over at most `CONCURRENT_REQUESTS` files. */
export async function measureConcurrentLoads(
  api: ApiClient,
  workspaceId: string,
  files: readonly ImportedFile[],
): Promise<ConcurrentLoads> {
  const asked = spread(files, CONCURRENT_REQUESTS);
  const requests = Array.from(
    { length: CONCURRENT_REQUESTS },
    (_, index) => asked[index % asked.length] as ImportedFile,
  );
  const startedAt = performance.now();
  const outcomes = await Promise.allSettled(requests.map((file) => api.time(contentPath(workspaceId, file))));
  const seconds = (performance.now() - startedAt) / 1_000;
  const durations = outcomes.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
  return {
    ...percentiles(durations),
    errors: CONCURRENT_REQUESTS - durations.length,
    requestsPerSecond: CONCURRENT_REQUESTS / seconds,
    outsideDatabase: requests.filter((it) => it.sizeBytes > DATABASE_OBJECT_BYTES).length,
  };
}

export interface CacheFigures {
  readonly hits: number;
  readonly misses: number;
}

/** @returns what was read from one look to the next, and the share of hits, 0 to 1 */
export function readsBetween(
  start: CacheFigures,
  end: CacheFigures,
): CacheFigures & { readonly hitRate: number } {
  const hits = end.hits - start.hits;
  const misses = end.misses - start.misses;
  return { hits, misses, hitRate: hits / (hits + misses) };
}

interface TierCounts {
  readonly hits: number;
  readonly misses: number;
}

/** Reads of the cache that a tier answered, and those that none did. */
export async function cacheFigures(admin: ApiClient): Promise<CacheFigures> {
  const { statistics } = await admin.json<{
    statistics: { namespaces: Record<string, { memory: TierCounts; redis: TierCounts }> };
  }>('GET', '/meta/cache-stats');
  const tiers = Object.values(statistics.namespaces);
  const reads = sum(tiers.map(({ memory }) => memory.hits + memory.misses));
  const hits = sum(tiers.map(({ memory, redis }) => memory.hits + redis.hits));
  return { hits, misses: reads - hits };
}

async function measureColdAndWarm(api: ApiClient, paths: readonly string[]): Promise<ColdAndWarm> {
  const round = async (): Promise<number[]> => {
    const durations: number[] = [];
    for (const path of paths) durations.push(await api.time(path));
    return durations;
  };
  const cold = percentiles(await round());
  const rounds: number[] = [];
  for (let index = 0; index < WARM_ROUNDS; index++) rounds.push(...(await round()));
  const warm = percentiles(rounds);
  return { cold, warm, timesFaster: cold.p50Ms / warm.p50Ms };
}

/** At most `count` of the items, evenly from first to last. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as T);
}

function contentPath(workspaceId: string, file: ImportedFile): string {
  return `/workspaces/${workspaceId}/files/${file.id}/content`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}
