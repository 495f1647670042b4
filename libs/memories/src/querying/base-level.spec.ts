import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { baseLevel, recency, resonance } from './base-level.js';

const HOUR_MS = 3_600_000;
const NOW = new Date('2026-03-01T00:00:00Z');
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR_MS);

/** The state after uses so many hours ago, of which the latest eight are kept. */
function usedAgo(...hours: number[]) {
  const sorted = hours.toSorted((a, b) => a - b);
  return {
    uses: hours.length,
    firstUsedAt: ago(sorted.at(-1) ?? 0),
    lastUsedAt: ago(sorted[0] ?? 0),
    recentUses: sorted.slice(0, 8).map(ago),
  };
}

const exact = (...hours: number[]) => Math.log(hours.reduce((sum, it) => sum + (it * 3_600) ** -0.5, 0));

describe('the base level', () => {
  it('is exact for the uses that are kept', () => {
    expect(baseLevel(usedAgo(1, 24, 720), NOW)).toBeCloseTo(exact(1, 24, 720));
  });

  it('stays close to the sum over all uses when most of them are only counted', () => {
    const hours = Array.from({ length: 60 }, (_, n) => 5 + 12 * n);
    expect(Math.abs(baseLevel(usedAgo(...hours), NOW) - exact(...hours))).toBeLessThan(0.05);
  });

  it('falls with time, and rises with every use', () => {
    const hours = fc.array(fc.integer({ min: 2, max: 10_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(hours, fc.integer({ min: 1, max: 10_000 }), (used, later) => {
        const state = usedAgo(...used);
        expect(baseLevel(state, new Date(NOW.getTime() + later * HOUR_MS))).toBeLessThan(
          baseLevel(state, NOW),
        );
        expect(baseLevel(usedAgo(...used, 1), NOW)).toBeGreaterThan(baseLevel(state, NOW));
      }),
    );
  });

  it('does not tell apart what was used within the hour', () => {
    expect(baseLevel(usedAgo(0.1), NOW)).toBe(baseLevel(usedAgo(0.9), NOW));
    expect(recency(ago(0), NOW)).toBe(recency(ago(0.9), NOW));
  });

  it('gives a chance between 0 and 1, one half after some days', () => {
    expect(resonance(baseLevel(usedAgo(1), NOW))).toBeGreaterThan(0.8);
    expect(resonance(baseLevel(usedAgo(24 * 365), NOW))).toBeLessThan(0.1);
    expect(recency(ago(30 * 24 + 1), NOW)).toBeCloseTo(0.5);
  });
});
