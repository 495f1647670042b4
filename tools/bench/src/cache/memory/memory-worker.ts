import { BenchInvalidMeasurementError } from '../../bench.errors.ts';
import type { Subject } from '../libraries/contract.ts';
import { variantOf, type VariantId } from '../libraries/variants.ts';
import { serveWorker } from '../../harness/worker.ts';
import { createWorkload, type Workload } from '../workload.ts';

/** What to measure, and for how long each. */
export interface MemoryInput {
  readonly variant: VariantId;
  readonly keyCount: number;
  /** Target length of each measurement, milliseconds. */
  readonly windowMs: number;
}

/** CPU of one operation, microseconds, with garbage collection and compilation; and its time on the clock. */
export interface MemorySample {
  readonly getOrSetHitCpu?: number;
  readonly getOrSetHitWall?: number;
  readonly getHitCpu: number;
  readonly getHitWall: number;
  readonly setCpu: number;
  readonly setWall: number;
  readonly getOrSetMissCpu?: number;
  readonly getOrSetMissWall?: number;
}

/** Runs that many operations. */
type Loop = (count: number) => Promise<void> | void;

/** Keys that were never there are used up by misses; unbounded libraries shall not eat all memory. */
const MAX_MISSES = 200_000;
const FIRST_COUNT = 2_000;

/** Results end here, so that no compiler finds out that nobody wants them. */
let sink: unknown;
let loads = 0;
let misses = 0;

await serveWorker<MemoryInput, MemorySample>(async ({ variant, keyCount, windowMs }) => {
  const { isSync = false, open } = variantOf(variant);
  const subject = await open({ maxEntries: 2 * keyCount });
  const workload = createWorkload(keyCount);
  const loops = isSync ? syncLoops(subject, workload) : asyncLoops(subject, workload);
  await fill(subject, workload);
  const hit = loops.hit && (await measure(loops.hit, windowMs));
  if (loads > 0) throw new BenchInvalidMeasurementError(`${variant}: ${loads} loads in what should be hits`);
  const get = await measure(loops.get, windowMs);
  if (sink === undefined) throw new BenchInvalidMeasurementError(`${variant}: a get that should hit missed`);
  const set = await measure(loops.set, windowMs);
  const miss = loops.miss && (await measure(loops.miss, windowMs, MAX_MISSES));
  return {
    ...(hit && { getOrSetHitCpu: hit.cpu, getOrSetHitWall: hit.wall }),
    getHitCpu: get.cpu,
    getHitWall: get.wall,
    setCpu: set.cpu,
    setWall: set.wall,
    ...(miss && { getOrSetMissCpu: miss.cpu, getOrSetMissWall: miss.wall }),
  };
});

async function fill(subject: Subject, { keys, tagsOf, valueOf }: Workload): Promise<void> {
  for (const [i, key] of keys.entries()) {
    const tags = tagsOf[i];
    if (tags === undefined) continue;
    if (subject.getOrSet) await subject.getOrSet(key, () => Promise.resolve(valueOf(key)), tags);
    else await subject.set(key, valueOf(key), tags);
  }
}

/** @returns what one operation takes when the code is compiled, milliseconds */
async function warmUp(loop: Loop, windowMs: number, max: number): Promise<number> {
  for (let count = FIRST_COUNT, total = 0; ; count *= 2) {
    const startedAt = performance.now();
    await loop(count);
    const tookMs = performance.now() - startedAt;
    total += count;
    if (tookMs >= windowMs || 2 * total >= max) return tookMs / count;
  }
}

/** Warms up until one run fills the window, then measures as many operations as fill it. */
async function measure(loop: Loop, windowMs: number, max = Number.POSITIVE_INFINITY) {
  const perOperationMs = await warmUp(loop, windowMs, max);
  const operations = Math.min(max, Math.max(FIRST_COUNT, Math.ceil(windowMs / perOperationMs)));
  globalThis.gc?.();
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await loop(operations);
  const { user, system } = process.cpuUsage(before);
  return {
    cpu: (user + system) / operations,
    wall: (1_000 * (performance.now() - startedAt)) / operations,
  };
}

/** Loops of their own for every verb: one that is shared would be compiled for all of them, and slow for each. */
function asyncLoops(subject: Subject, { keys, tagsOf, order, valueOf }: Workload) {
  const mask = order.length - 1;
  const { getOrSet } = subject;
  const get: Loop = async (count) => {
    for (let i = 0; i < count; i++) sink = await subject.get(keys[order[i & mask]!]!);
  };
  const set: Loop = async (count) => {
    for (let i = 0; i < count; i++) {
      const k = order[i & mask]!;
      sink = await subject.set(keys[k]!, valueOf(keys[k]!), tagsOf[k]!);
    }
  };
  const hit: Loop | undefined =
    getOrSet &&
    (async (count) => {
      for (let i = 0; i < count; i++) {
        const k = order[i & mask]!;
        const key = keys[k]!;
        sink = await getOrSet(key, () => loadForHit(key, valueOf), tagsOf[k]!);
      }
    });
  return { get, set, hit, miss: getOrSet && missLoop(getOrSet, { tagsOf, order, valueOf }) };
}

function syncLoops(subject: Subject, { keys, tagsOf, order, valueOf }: Workload) {
  const mask = order.length - 1;
  const { getOrSet } = subject;
  const get: Loop = (count) => {
    for (let i = 0; i < count; i++) sink = subject.get(keys[order[i & mask]!]!);
  };
  const set: Loop = (count) => {
    for (let i = 0; i < count; i++) {
      const k = order[i & mask]!;
      sink = subject.set(keys[k]!, valueOf(keys[k]!), tagsOf[k]!);
    }
  };
  const hit: Loop | undefined =
    getOrSet &&
    ((count) => {
      for (let i = 0; i < count; i++) {
        const k = order[i & mask]!;
        const key = keys[k]!;
        sink = getOrSet(key, () => loadForHit(key, valueOf), tagsOf[k]!);
      }
    });
  return { get, set, hit, miss: getOrSet && missLoop(getOrSet, { tagsOf, order, valueOf }) };
}

function missLoop(
  getOrSet: NonNullable<Subject['getOrSet']>,
  { tagsOf, order, valueOf }: Pick<Workload, 'tagsOf' | 'order' | 'valueOf'>,
): Loop {
  const mask = order.length - 1;
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const key = `missing:${misses++}`;
      sink = await getOrSet(key, () => Promise.resolve(valueOf(key)), tagsOf[order[i & mask]!]!);
    }
  };
}

function loadForHit(key: string, valueOf: Workload['valueOf']): Promise<unknown> {
  loads++;
  return Promise.resolve(valueOf(key));
}
