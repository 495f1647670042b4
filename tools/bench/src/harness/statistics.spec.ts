import { describe, expect, it } from '@jest/globals';

import { median, mediansOf, quantile } from './statistics.ts';

describe('quantile', () => {
  it('is the middle of an odd number of samples, whatever their order', () => {
    expect(median([5, 1, 9])).toBe(5);
  });

  it('lies between the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('is the smallest at 0, the largest at 1 and linear between', () => {
    const samples = [10, 20, 30, 40, 50];
    expect([0, 0.25, 0.9, 1].map((q) => quantile(samples, q))).toEqual([10, 20, 46, 50]);
  });

  it('sorts numbers as numbers and leaves the samples as they were', () => {
    const samples = [100, 9, 20];
    expect(median(samples)).toBe(20);
    expect(samples).toEqual([100, 9, 20]);
  });

  it('is NaN without samples', () => {
    expect(median([])).toBeNaN();
  });
});

describe('mediansOf', () => {
  it('takes the median of every field on its own', () => {
    const repetitions = [
      { cpu: 3, wall: 10 },
      { cpu: 1, wall: 30 },
      { cpu: 2, wall: 20 },
    ];
    expect(mediansOf(repetitions)).toEqual({ cpu: 2, wall: 20 });
  });

  it('leaves out what one repetition could not measure', () => {
    expect(mediansOf<'cpu' | 'many'>([{ cpu: 1, many: 5 }, { cpu: 2 }])).toEqual({ cpu: 1.5 });
  });
});
