import { describe, expect, it } from '@jest/globals';

import { planArrivals, standardStages, usersAt } from './arrivals.ts';
import { MIXES } from './workload.ts';

const plan = (seed: number) =>
  planArrivals(standardStages(240), { mix: MIXES.content, requestsPerUser: 1, seed });

describe('the stages', () => {
  it('go from none to 10 to 50, stay, and go to none', () => {
    const at = (seconds: number) => usersAt(standardStages(240), seconds * 1_000);
    expect([0, 30, 60, 90, 120, 150, 210, 240, 300].map(at)).toEqual([0, 5, 10, 30, 50, 50, 25, 0, 0]);
  });
});

describe('the arrivals', () => {
  it('are as many as users make, in the shares of the mix, in order of time', () => {
    const arrivals = plan(1);
    // 10/2 + (10 + 50)/2 + 50 + 50/2 users a minute; the deviation of such a sum is its root, 81.
    expect(Math.abs(arrivals.length - 6_600)).toBeLessThan(6 * 81);
    const share = (action: string) => arrivals.filter((it) => it.action === action).length / arrivals.length;
    expect(share('search')).toBeCloseTo(0.6, 1);
    expect(share('upload')).toBeCloseTo(0.2, 1);
    expect(arrivals.every(({ dueMs }, i) => dueMs >= (arrivals[i - 1]?.dueMs ?? 0) && dueMs < 240_001)).toBe(
      true,
    );
  });

  it('are the same for the same seed only', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });
});
