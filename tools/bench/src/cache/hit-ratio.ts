/**
 * Hit ratios of `MemoryTier` beside the policies of npm and the best possible, on recorded and made traces.
 * `node tools/bench/src/cache/hit-ratio.ts [--svg <file>]` prints a table, and draws the plot.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { SieveCache } from '@neophi/sieve-cache';
import { MemoryTier } from '@peregrine/cache';
import { LRUCache } from 'lru-cache';
import { newCache } from 'transitory';
import { renderHitRatioPlot } from './hit-ratio-plot.ts';
import { type Progress, stderrProgress } from '../harness/progress.ts';
import { type Line, renderTable, type SuiteResult, type Table } from '../harness/report.ts';
import { allTraces, type Trace } from './traces.ts';

/** Hits of one policy in a cache of one size. */
export interface HitRatioCell {
  readonly policy: PolicyName;
  readonly trace: string;
  /** Entries. */
  readonly size: number;
  /** Per cent of the requests. */
  readonly hitRatio: number;
}

/** All cells, policies within sizes within traces. */
export interface HitRatioReport {
  readonly cells: readonly HitRatioCell[];
}

/** Counts hits over a trace. */
type Replay = (trace: Trace, size: number) => number;

/** What all caches have in common here. */
interface Store {
  get(key: string): unknown;
  set(key: string, value: number): unknown;
}

function replay(trace: Trace, store: Store): number {
  const keys = Array.from({ length: trace.keyCount }, (_, i) => `key${i}`);
  let hits = 0;
  for (const request of trace.requests) {
    const key = keys[request]!;
    if (store.get(key) !== undefined) hits++;
    else store.set(key, request);
  }
  return hits;
}

function transitory(size: number): Store {
  const cache = newCache<string, number>().maxSize(size).build();
  return { get: (key) => cache.getIfPresent(key) ?? undefined, set: (key, value) => cache.set(key, value) };
}

/**
 * Belady's optimum: what is asked for again the latest goes, or does not come in. Needs to know the future.
 * Expiry of heap entries is lazy: an old time of a key is skipped when it comes up. O(requests × log size).
 */
function belady({ requests, keyCount }: Trace, size: number): number {
  const nextUse = new Int32Array(requests.length);
  const lastSeen = new Int32Array(keyCount).fill(requests.length);
  for (let i = requests.length - 1; i >= 0; i--) {
    nextUse[i] = lastSeen[requests[i]!]!;
    lastSeen[requests[i]!] = i;
  }
  // When each kept key is asked for next; 0 is not kept, for no next use is at 0.
  const kept = new Int32Array(keyCount);
  const latest = new LatestFirst();
  let count = 0;
  let hits = 0;
  for (const [i, key] of requests.entries()) {
    if (kept[key] !== 0) hits++;
    else count++;
    kept[key] = nextUse[i]!;
    latest.push(nextUse[i]!, key);
    if (count <= size) continue;
    let victim = latest.pop();
    while (kept[victim.key] !== victim.use) victim = latest.pop();
    kept[victim.key] = 0;
    count--;
  }
  return hits;
}

/** Binary heap of uses, the latest on top. */
class LatestFirst {
  readonly #uses: { readonly use: number; readonly key: number }[] = [];

  push(use: number, key: number): void {
    const heap = this.#uses;
    const item = { use, key };
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1]!;
      if (parent.use >= use) break;
      heap[at] = parent;
    }
    heap[at] = item;
  }

  pop(): { readonly use: number; readonly key: number } {
    const heap = this.#uses;
    const top = heap[0]!;
    const last = heap.pop()!;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.use > heap[child]!.use) child++;
      if (heap[child]!.use <= last.use) break;
      heap[at] = heap[child]!;
      at = child;
    }
    if (heap.length > 0) heap[at] = last;
    return top;
  }
}

const POLICIES = {
  peregrine: (trace, size) =>
    replay(trace, new MemoryTier<number>({ maxEntries: size, maxBytes: Infinity, weigh: () => 1 })),
  'lru-cache': (trace, size) => replay(trace, new LRUCache<string, number>({ max: size })),
  'sieve-cache': (trace, size) => replay(trace, new SieveCache<string, number>(size)),
  transitory: (trace, size) => replay(trace, transitory(size)),
  Belady: belady,
} satisfies Record<string, Replay>;

/** What is measured; `Belady` is the bound, not a cache. */
export type PolicyName = keyof typeof POLICIES;

/** In the order of tables and legends. */
export const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];
const NPM: readonly PolicyName[] = ['lru-cache', 'sieve-cache', 'transitory'];

/** Replays a trace with all policies in all its sizes. Deterministic. */
export function hitRatiosOf(trace: Trace, policies = POLICY_NAMES): HitRatioCell[] {
  return trace.sizes.flatMap((size) =>
    policies.map((policy) => {
      const hits = POLICIES[policy](trace, size);
      return { policy, trace: trace.name, size, hitRatio: (100 * hits) / trace.requests.length };
    }),
  );
}

/** Measures everything; `samples` is a `HitRatioReport`. */
export async function runHitRatio({
  progress = stderrProgress,
}: { readonly progress?: Progress } = {}): Promise<SuiteResult> {
  const cells: HitRatioCell[] = [];
  for (const trace of await allTraces()) {
    await progress.step(`hit ratio: ${trace.name}`, () => Promise.resolve(cells.push(...hitRatiosOf(trace))));
  }
  return {
    title: 'Hit ratio',
    notes: [
      'Per cent of the requests that found their key, by size of the cache in entries; a miss stores the key. Recorded',
      'traces are described in `tools/bench/data`; `loop` is 500 passes over 1,011 keys. Belady knows the future.',
    ],
    tables: [tableOf(cells)],
    lines: linesOf(cells),
    samples: { cells } satisfies HitRatioReport,
  };
}

const ratioOf = (cells: readonly HitRatioCell[], policy: PolicyName, like?: HitRatioCell) => {
  const chosen = cells.filter(
    (it) =>
      it.policy === policy && (like === undefined || (it.trace === like.trace && it.size === like.size)),
  );
  return chosen.reduce((sum, it) => sum + it.hitRatio, 0) / chosen.length;
};

function tableOf(cells: readonly HitRatioCell[]): Table {
  const first = cells.filter((it) => it.policy === 'peregrine');
  const rows = first.map((cell) => [
    cell.trace,
    String(cell.size),
    ...POLICY_NAMES.map((policy) => ratioOf(cells, policy, cell).toFixed(2)),
  ]);
  const mean = ['mean', '', ...POLICY_NAMES.map((policy) => ratioOf(cells, policy).toFixed(2))];
  return {
    caption: 'Hit ratio, %:',
    columns: ['Trace', 'Entries', ...POLICY_NAMES],
    rows: [...rows, mean],
  };
}

function linesOf(cells: readonly HitRatioCell[]): Line[] {
  const gaps = cells
    .filter((it) => it.policy === 'peregrine')
    .map((it) => ratioOf(cells, 'lru-cache', it) - it.hitRatio);
  const best = Math.max(...NPM.map((policy) => ratioOf(cells, policy)));
  return [
    {
      what: 'Hit ratio under that of LRU, worst cell',
      measured: Math.max(0, ...gaps),
      limit: 1,
      bound: 'at most',
      unit: 'points',
    },
    {
      what: 'Mean hit ratio, beside the best policy of npm',
      measured: ratioOf(cells, 'peregrine'),
      limit: best,
      bound: 'at least',
      unit: '%',
    },
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { svg } = parseArgs({ options: { svg: { type: 'string' } } }).values;
  const result = await runHitRatio();
  console.log(result.tables.map(renderTable).join('\n\n'));
  if (svg !== undefined) await writeFile(svg, renderHitRatioPlot(result.samples as HitRatioReport));
}
