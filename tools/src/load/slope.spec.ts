import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { median, theilSen } from './slope.ts';

describe('theilSen', () => {
  it('finds the slope of a line, for any line', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: -1e6, max: 1e6 }), (slope, base) => {
        const points = Array.from({ length: 20 }, (_, time) => [time, base + slope * time] as const);
        expect(theilSen(points)).toEqual({ perUnit: slope, low: slope, high: slope });
      }),
    );
  });

  it('is not bent by outliers, one in five', () => {
    const points = Array.from({ length: 50 }, (_, time) => [time, time % 5 === 0 ? 1e9 : 3 * time] as const);
    expect(theilSen(points)?.perUnit).toBeCloseTo(3, 5);
  });

  it('is not sure of a slope in noise, and is in a rise within noise', () => {
    const noise = (time: number) => ((time * 7_919) % 101) - 50;
    const flat = theilSen(Array.from({ length: 60 }, (_, time) => [time, noise(time)] as const));
    expect(flat?.low).toBeLessThan(0);
    expect(flat?.high).toBeGreaterThan(0);
    const rising = theilSen(Array.from({ length: 60 }, (_, time) => [time, 5 * time + noise(time)] as const));
    expect(rising?.low).toBeGreaterThan(0);
  });

  it('says nothing of too few points', () => {
    expect(theilSen([[0, 1]])).toBeUndefined();
    expect(
      theilSen([
        [0, 1],
        [0, 2],
        [0, 3],
      ]),
    ).toBeUndefined();
  });
});

describe('median', () => {
  it('is the middle of the values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
