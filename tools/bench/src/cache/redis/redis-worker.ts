import { setTimeout as delay } from 'node:timers/promises';

import { BenchInvalidMeasurementError } from '../../bench.errors.ts';
import type { Load, Subject } from '../libraries/contract.ts';
import { openRawRedis } from '../libraries/raw-redis.ts';
import { variantOf, type VariantId } from '../libraries/variants.ts';
import { quantile } from '../../harness/statistics.ts';
import { serveWorker } from '../../harness/worker.ts';
import { createWorkload, type Workload } from '../workload.ts';
import { whenConnected } from './when-connected.ts';

/** What to measure on which Redis. */
export interface RedisInput {
  readonly variant: VariantId;
  readonly redisUrl: string;
  readonly keyCount: number;
}

/** One repetition; each field has a memory tier of its own that is empty at its start. */
export interface RedisSample {
  /** Median time of `getOrSet` that hits in Redis, one after the other, microseconds. */
  readonly hitP50: number;
  readonly hitP99: number;
  /** Beside the median of raw GETs that were made in turn with them. */
  readonly hitRatio: number;
  /** CPU of this process for one of them, microseconds. */
  readonly hitCpu: number;
  /** The same through `get`. */
  readonly getP50: number;
  readonly getRatio: number;
  /** Hits in Redis each second by 64 callers at a time. */
  readonly hitsPerSecond64: number;
  /** Keys each second in batches of 100; absent where a library has no such verb. */
  readonly manyKeysPerSecond?: number;
  readonly manyCpuPerKey?: number;
  /** One `set` after the other, each second. */
  readonly setsPerSecond: number;
}

const BATCH = 100;
const CALLERS = 64;
const CLOSE_TIMEOUT_MS = 1_000;

await serveWorker<RedisInput, RedisSample>(async (input) => {
  const workload = createWorkload(input.keyCount);
  const raw = openRawRedis({ maxEntries: 0, redisUrl: input.redisUrl }, 'json');
  for (const key of workload.keys) await raw.set(rawKey(key), workload.valueOf(key), [key, key, key]);
  const tagsOf = new Map(workload.keys.map((key, i) => [key, workload.tagsOf[i]!]));
  const hit = (subject: Subject) => (key: string) =>
    subject.getOrSet?.(key, unexpected(key), tagsOf.get(key)!);
  const onFresh = <T>(work: (subject: Subject) => Promise<T>) => withSubject(input, work);

  await onFresh((subject) => fill(subject, workload));
  await onFresh((subject) => beside(raw, workload, hit(subject)));
  const hits = await onFresh((subject) => beside(raw, workload, hit(subject)));
  const gets = await onFresh((subject) => beside(raw, workload, subject.get));
  const hitCpu = await onFresh((subject) => cpuOf(workload, hit(subject)));
  const hitsPerSecond64 = await onFresh((subject) => concurrentHits(workload, hit(subject)));
  await onFresh((subject) => batches(subject, workload));
  const many = await onFresh((subject) => batches(subject, workload));
  const setsPerSecond = await onFresh((subject) => sets(subject, workload));
  return {
    hitP50: hits.p50,
    hitP99: hits.p99,
    hitRatio: hits.ratio,
    hitCpu,
    getP50: gets.p50,
    getRatio: gets.ratio,
    hitsPerSecond64,
    ...many,
    setsPerSecond,
  };
});

/** With an empty memory tier and a warm connection. */
async function withSubject<T>(input: RedisInput, work: (subject: Subject) => Promise<T>): Promise<T> {
  const subject = await variantOf(input.variant).open({
    maxEntries: 2 * input.keyCount,
    redisUrl: input.redisUrl,
  });
  try {
    await whenConnected(subject, input.redisUrl);
    globalThis.gc?.();
    return await work(subject);
  } finally {
    await Promise.race([subject.close?.(), delay(CLOSE_TIMEOUT_MS)]);
  }
}

async function fill(subject: Subject, { keys, valueOf, tagsOf }: Workload): Promise<void> {
  for (const [i, key] of keys.entries()) await subject.set(key, valueOf(key), tagsOf[i]!);
}

/** A loader for what is in Redis. */
function unexpected(key: string): Load {
  return () =>
    Promise.reject(new BenchInvalidMeasurementError(`the loader ran for ${key}, which is in Redis`));
}

function rawKey(key: string): string {
  return `raw:${key}`;
}

/**
 * Each key once, one after the other: every one is a hit in Redis and none in memory. In turn with raw GETs of as many
 * other keys, since the time of a round trip depends on how awake both processes are kept.
 */
async function beside(raw: Subject, { keys, valueOf }: Workload, read: (key: string) => unknown) {
  const micros: number[] = [];
  const rawMicros: number[] = [];
  const timed = async (samples: number[], work: () => unknown) => {
    const startedAt = performance.now();
    const value = await work();
    samples.push(1_000 * (performance.now() - startedAt));
    return value;
  };
  for (const [i, key] of keys.entries()) {
    const first = i % 2 === 0;
    if (first) await timed(rawMicros, () => raw.get(rawKey(key)));
    const value = await timed(micros, () => read(key));
    if (!first) await timed(rawMicros, () => raw.get(rawKey(key)));
    assertValue(value, valueOf(key));
  }
  const p50 = quantile(micros, 0.5);
  return { p50, p99: quantile(micros, 0.99), ratio: p50 / quantile(rawMicros, 0.5) };
}

async function cpuOf({ keys }: Workload, read: (key: string) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (const key of keys) await read(key);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / keys.length;
}

async function concurrentHits({ keys }: Workload, read: (key: string) => unknown): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  const caller = async () => {
    for (let i = next++; i < keys.length; i = next++) await read(keys[i]!);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return perSecond(keys.length, startedAt);
}

async function batches(subject: Subject, { keys, valueOf }: Workload) {
  if (subject.getMany === undefined) return {};
  const before = process.cpuUsage();
  const startedAt = performance.now();
  for (let from = 0; from < keys.length; from += BATCH) {
    const batch = keys.slice(from, from + BATCH);
    const values = await subject.getMany(batch);
    assertValue(values.at(-1), valueOf(batch.at(-1) ?? ''));
  }
  const { user, system } = process.cpuUsage(before);
  return {
    manyKeysPerSecond: perSecond(keys.length, startedAt),
    manyCpuPerKey: (user + system) / keys.length,
  };
}

async function sets(subject: Subject, { keys, valueOf, tagsOf }: Workload): Promise<number> {
  const count = Math.ceil(keys.length / 2);
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) await subject.set(keys[i]!, valueOf(keys[i]!), tagsOf[i]!);
  return perSecond(count, startedAt);
}

function perSecond(count: number, startedAt: number): number {
  return (1_000 * count) / (performance.now() - startedAt);
}

function assertValue(value: unknown, expected: { readonly id: string }): void {
  if ((value as { id?: string } | undefined)?.id === expected.id) return;
  throw new BenchInvalidMeasurementError(
    `read ${JSON.stringify(value)}, expected the value of ${expected.id}`,
  );
}
