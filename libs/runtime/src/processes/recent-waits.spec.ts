import { expect, it } from '@jest/globals';
import { type ClassWait } from '@peregrine/task-queue';
import { RecentWaits } from './recent-waits.js';

const waits = (buckets: number[], missed = 0): ClassWait[] => [
  { priority: 'HIGH', promisedMs: 2_000, buckets, sumMs: 0, missed },
];

it('tells the waits of the last looks from those since the start', () => {
  const recent = new RecentWaits(2);
  expect(recent.look(waits([1, 0]))).toMatchObject([{ started: 1, recentBuckets: [1, 0] }]);
  expect(recent.look(waits([3, 1], 1))).toMatchObject([
    { started: 4, missed: 1, recentBuckets: [2, 1], recentMissed: 1 },
  ]);
  // Since the look before the last one.
  expect(recent.look(waits([3, 2], 2))).toMatchObject([
    { started: 5, missed: 2, recentBuckets: [2, 2], recentMissed: 2 },
  ]);
  expect(recent.look(waits([3, 2], 2))).toMatchObject([
    { started: 5, missed: 2, recentBuckets: [0, 1], recentMissed: 1 },
  ]);
});
