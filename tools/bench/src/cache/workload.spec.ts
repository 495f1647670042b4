import { describe, expect, it } from '@jest/globals';

import { createWorkload } from './workload.ts';

describe('the workload', () => {
  it('is the same in every process', () => {
    expect(createWorkload(500).order).toEqual(createWorkload(500).order);
  });

  it('asks for a few keys often and for most of them at some time', () => {
    const { order, keys } = createWorkload(1_000);
    const counts = new Uint32Array(keys.length);
    for (const i of order) counts[i] = (counts[i] ?? 0) + 1;
    const sorted = [...counts].sort((a, b) => b - a);
    const topShare = sorted.slice(0, 100).reduce((sum, it) => sum + it, 0) / order.length;
    // The harmonic sums of Zipf with 0.99 over 1,000 keys give 0.69 for the first hundred.
    expect(topShare).toBeGreaterThan(0.66);
    expect(topShare).toBeLessThan(0.72);
    expect(sorted.filter((it) => it === 0).length).toBeLessThan(50);
  });

  it('makes a new value object for every call, with the key in it', () => {
    const { valueOf } = createWorkload(10);
    expect(valueOf('product:1')).toEqual(valueOf('product:1'));
    expect(valueOf('product:1')).not.toBe(valueOf('product:1'));
    expect(valueOf('product:1').id).toBe('product:1');
  });
});
