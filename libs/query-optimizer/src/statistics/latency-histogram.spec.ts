import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LatencyHistogram } from './latency-histogram.js';

describe('LatencyHistogram', () => {
  it('is at most 9.1 % above the true percentile, and never below', () => {
    const duration = fc.double({ min: 0.001, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, share) => {
          const histogram = new LatencyHistogram();
          for (const it of all) histogram.add(it);
          const exact = all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1]!;
          expect(histogram.percentile(share)).toBeGreaterThanOrEqual(exact * 0.999_999);
          expect(histogram.percentile(share)).toBeLessThanOrEqual(exact * 1.091);
        },
      ),
    );
  });

  it('counts what is below each bound', () => {
    const histogram = new LatencyHistogram();
    for (const it of [0.5, 4, 40, 400]) histogram.add(it);
    expect(histogram.cumulative([1, 10, 100, 1_000])).toEqual([1, 2, 3, 4]);
    expect(new LatencyHistogram().percentile(0.99)).toBe(0);
  });

  it('is the same when it comes back from where it was kept', () => {
    const histogram = new LatencyHistogram();
    for (const it of [0.5, 4, 40, 400]) histogram.add(it);
    const again = new LatencyHistogram();
    again.addBuckets(histogram.buckets(), histogram.sumMs, histogram.maxMs);
    again.addBuckets([[999_999, 5]], 0, 0);
    expect(again).toMatchObject({ count: 4, sumMs: 444.5, maxMs: 400 });
    expect(again.percentile(0.5)).toBe(histogram.percentile(0.5));
  });
});
