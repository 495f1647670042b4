import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FeatureBins, MAX_BINS } from './feature-bins.js';

const value = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: 0, max: 5 }),
  fc.double({ min: 0.9999999, max: 1.0000001, noNaN: true }),
);

describe('FeatureBins', () => {
  it('never gives a higher value a lower bin, and splits where its edges say', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), value, value, (rows, one, other) => {
        const bins = new FeatureBins(Float64Array.from(rows), 1);
        const [low, high] = one < other ? [one, other] : [other, one];
        expect(bins.binOf(0, low)).toBeLessThanOrEqual(bins.binOf(0, high));
        const edges = bins.edges[0] ?? new Float64Array();
        expect(edges.length).toBeLessThan(MAX_BINS);
        edges.forEach((edge, at) => expect(one > edge).toBe(bins.binOf(0, one) > at));
      }),
    );
  });

  it('tells few values apart one by one, and many by rank', () => {
    const few = new FeatureBins(Float64Array.from([3, 1, 2, 2, 3, 3]), 1);
    expect([1, 2, 3].map((it) => few.binOf(0, it))).toEqual([0, 1, 2]);
    const many = new FeatureBins(
      Float64Array.from({ length: 6_400 }, (_, at) => 2 ** (at / 640)),
      1,
    );
    const counts = new Uint32Array(MAX_BINS);
    for (let at = 0; at < 6_400; at++) counts[many.binOf(0, 2 ** (at / 640))]! += 1;
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10);
  });

  it('puts the wanted rows one feature after the other', () => {
    const rows = Float64Array.from([1, 10, 2, 20, 3, 30]);
    const bins = new FeatureBins(rows, 2);
    expect([...bins.binned(rows, Uint32Array.of(0, 2))]).toEqual([0, 2, 0, 2]);
  });
});
