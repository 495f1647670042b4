import { expect, it } from '@jest/globals';
import { type PlatformProcess } from '@peregrine/runtime';
import { WAIT_BUCKETS_S } from '@peregrine/task-queue';
import { classesOf } from './process-figures.js';

const buckets = (at: number, count: number) =>
  Array.from({ length: WAIT_BUCKETS_S.length + 1 }, (_, index) => (index === at ? count : 0));
const worker = (recentBuckets: number[], its: Partial<PlatformProcess> = {}): PlatformProcess => ({
  ...{ id: 'a', role: 'worker', host: 'here', pid: 1, startedAt: new Date(), seenAt: new Date() },
  ...{ silentMs: 0, isGone: false },
  figures: {
    ...{ node: 'v24', rssBytes: 1, memoryLimitBytes: 1, heapUsedBytes: 1, heapLimitBytes: 1 },
    ...{ loopLagP99Ms: 0, loopUtilization: 0, poolInUse: 0, poolCapacity: 1 },
    waits: [{ priority: 'HIGH', promisedMs: 2_000, started: 10, missed: 1, recentBuckets, recentMissed: 1 }],
  },
  ...its,
});

it('adds up the waits of the processes that run, and leaves out those that died', () => {
  const fast = worker(buckets(0, 90));
  const slow = worker(buckets(6, 10));
  const gone = worker(buckets(15, 1_000), { isGone: true });
  const [high, ...others] = classesOf([fast, slow, gone, worker([], { figures: null })]);
  expect(others).toEqual([]);
  expect(high).toMatchObject({
    ...{ priority: 'HIGH', promisedMs: 2_000, started: 20, missed: 2 },
    recent: { started: 100, missed: 2 },
  });
  // 90 of 100 waited less than 10 ms, the others between one and two seconds.
  expect(high?.recent.p50Ms).toBeLessThan(10);
  expect(high?.recent.p95Ms).toBeCloseTo(1_500);
});

it('has no percentile where no task has started lately', () => {
  expect(classesOf([worker(buckets(0, 0))])[0]?.recent).toMatchObject({ started: 0, p95Ms: null });
  expect(classesOf([])).toEqual([]);
});
