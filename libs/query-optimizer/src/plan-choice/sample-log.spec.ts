import { describe, expect, it } from '@jest/globals';
import { SampleLog } from './sample-log.js';

const sample = (number: number, plan = 0) => ({
  features: Float64Array.of(number, -number),
  plan,
  fallback: 1,
  allowed: 3,
  label: number,
  propensity: 0.5,
});

describe('SampleLog', () => {
  it('keeps the newest, oldest first', () => {
    const log = new SampleLog(3, 2);
    for (const it of [1, 2]) log.add(sample(it));
    expect([...log.snapshot().features]).toEqual([1, -1, 2, -2]);
    for (const it of [3, 4, 5]) log.add(sample(it));
    const { count, labels, features, plans, fallbacks, allowed, propensities, trusts } = log.snapshot();
    expect(count).toBe(3);
    expect([...labels]).toEqual([3, 4, 5]);
    expect([...features]).toEqual([3, -3, 4, -4, 5, -5]);
    expect([plans, fallbacks, allowed, propensities, trusts].map((it) => it[2])).toEqual([0, 1, 3, 0.5, 1]);
  });

  it('moves the older samples of a plan, and trusts them less', () => {
    const log = new SampleLog(4, 2);
    for (const it of [1, 2, 3, 4, 5]) log.add(sample(it, it % 2));
    log.age(1, 1, 10, 0.1);
    const { labels, trusts } = log.snapshot();
    expect([...labels]).toEqual([2, 13, 4, 5]);
    expect([...trusts]).toEqual([1, 0.1, 1, 1]);
  });
});
