import { describe, expect, it } from '@jest/globals';

import { percentiles } from './percentiles.ts';

describe('percentiles', () => {
  it('are nearest ranks of the sorted durations', () => {
    const durations = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(durations)).toEqual({ count: 100, p50Ms: 50, p95Ms: 95 });
    expect(percentiles([7])).toEqual({ count: 1, p50Ms: 7, p95Ms: 7 });
  });
});
