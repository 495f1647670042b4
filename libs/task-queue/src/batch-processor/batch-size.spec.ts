import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BatchSize, type BatchSizeLimits } from './batch-size.js';

const limits = { targetMs: 1_000, minSize: 10, maxSize: 5_000, initialSize: 10, concurrency: 4 };
const sizes = (overrides: Partial<BatchSizeLimits> = {}) => new BatchSize({ ...limits, ...overrides });

/** Whole batches one after the other, each at a cost. */
function run(size: BatchSize, batches: number, costMs: (items: number, index: number) => number): number {
  for (let index = 0; index < batches; index++) {
    size.observe(size.current, size.current, costMs(size.current, index));
  }
  return size.current;
}

const anyLimits = fc
  .record({
    targetMs: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
    minSize: fc.integer({ min: 1, max: 1_000 }),
    span: fc.integer({ min: 0, max: 100_000 }),
    initialSize: fc.integer({ min: 1, max: 100_000 }),
    concurrency: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ span, ...it }) => ({ ...it, maxSize: it.minSize + span }));

describe('the size of a batch', () => {
  it('stays whole and in its bounds, whatever batches take', () => {
    const observation = fc.record({
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      tookMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true })),
    });
    fc.assert(
      fc.property(anyLimits, fc.array(observation, { maxLength: 60 }), (its, observations) => {
        const size = new BatchSize(its);
        for (const { share, tookMs } of observations) {
          const before = size.current;
          size.observe(Math.round(before * share), before, tookMs);
          expect(Number.isInteger(size.current)).toBe(true);
          expect(size.current).toBeGreaterThanOrEqual(its.minSize);
          expect(size.current).toBeLessThanOrEqual(its.maxSize);
          expect(size.current).toBeLessThanOrEqual(Math.max(2 * before, its.minSize));
        }
      }),
    );
  });

  it('comes to the target and stays there, when an item always costs the same', () => {
    fc.assert(
      fc.property(anyLimits, fc.double({ min: 1e-4, max: 1e5, noNaN: true }), (its, costMs) => {
        const size = new BatchSize(its);
        const ideal = Math.min(Math.max(Math.round(its.targetMs / costMs), its.minSize), its.maxSize);
        // Doubling from 1 to 100,000 takes 17 steps.
        expect(run(size, 40, (items) => items * costMs)).toBe(ideal);
        expect(run(size, 5, (items) => items * costMs)).toBe(ideal);
      }),
    );
  });

  it('comes near the target with a fixed cost of every call', () => {
    const size = run(sizes(), 60, (items) => 200 + items * 2);
    expect(200 + size * 2).toBeGreaterThan(900);
    expect(200 + size * 2).toBeLessThan(1_100);
  });

  it('follows a cost that changes', () => {
    const size = sizes();
    expect(run(size, 20, (items) => items)).toBe(1_000);
    expect(run(size, 20, (items) => items * 10)).toBe(100);
    expect(run(size, 20, (items) => items * 0.5)).toBe(2_000);
  });

  it('is not moved by one slow moment that hits all batches at once', () => {
    const size = sizes();
    run(size, 20, (items) => items);
    run(size, limits.concurrency, (items) => items + 60_000);
    expect(size.current).toBe(1_000);
  });

  it('grows once for batches that ended together', () => {
    const size = sizes();
    for (let batch = 0; batch < limits.concurrency; batch++) size.observe(10, 10, 0);
    expect(size.current).toBe(20);
  });

  it('learns nothing from the short batch at the end of a list', () => {
    const size = sizes({ initialSize: 1_000 });
    run(size, 20, (items) => items);
    for (let batch = 0; batch < 20; batch++) size.observe(1, 1_000, 500);
    expect(size.current).toBe(1_000);
  });
});
