import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ExplorationBudget, type ExplorationLease } from './exploration-budget.js';

const HOUR_MS = 3_600_000;

describe('ExplorationBudget', () => {
  it('never lets exploration cost more than its share of an hour, however many run at once', () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: HOUR_MS })),
      ms: fc.double({ min: 0, max: 1_000, noNaN: true }),
      worstMs: fc.double({ min: 0.1, max: 100, noNaN: true }),
      cost: fc.double({ min: 0, max: 1, noNaN: true }),
      isSettling: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (steps, share) => {
          let now = 0;
          const budget = new ExplorationBudget(share, () => now);
          const open: { lease: ExplorationLease; cost: number }[] = [];
          for (const { waitMs, ms, worstMs, cost, isSettling } of steps) {
            now += waitMs;
            budget.add(ms);
            if (budget.canPay(worstMs)) open.push({ lease: budget.reserve(worstMs), cost: cost * worstMs });
            const first = isSettling ? open.shift() : undefined;
            if (first) budget.settle(first.lease, first.cost);
            const { spentMs, reservedMs, allowedMs } = budget.report().hour;
            expect(spentMs + reservedMs).toBeLessThanOrEqual(allowedMs + 1e-6);
          }
        },
      ),
    );
  });

  it('charges the hour in which it was begun, and begins each without credit', () => {
    let now = 0;
    const budget = new ExplorationBudget(0.5, () => now);
    budget.add(100);
    const lease = budget.reserve(50);
    expect(budget.canPay(1)).toBe(false);
    now = HOUR_MS;
    expect(budget.canPay(1)).toBe(false);
    budget.settle(lease, 50);
    expect(budget.report()).toEqual({
      hour: { spentMs: 0, reservedMs: 0, allowedMs: 0 },
      spentMs: 50,
      refused: 2,
    });
  });

  it('cannot pay for what nobody knows', () => {
    const budget = new ExplorationBudget(0.5, () => 0);
    budget.add(1e9);
    expect(budget.canPay(NaN)).toBe(false);
  });
});
