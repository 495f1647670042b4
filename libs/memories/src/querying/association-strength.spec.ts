import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { associationStrength, linkWeight } from './association-strength.js';

describe('the strength of an association', () => {
  it('is 1 for always together, 0 for chance, and less for a hub', () => {
    expect(associationStrength({ together: 10, one: 10, other: 10, answers: 100 })).toBeCloseTo(1);
    expect(associationStrength({ together: 25, one: 50, other: 50, answers: 100 })).toBeCloseTo(0);
    const hub = associationStrength({ together: 5, one: 5, other: 90, answers: 100 });
    const friend = associationStrength({ together: 5, one: 5, other: 6, answers: 100 });
    expect(hub).toBeLessThan(friend);
  });

  it('stays within its bounds, whatever the counts', () => {
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(count, count, count, count, (together, one, other, answers) => {
        const strength = associationStrength({ together, one, other, answers });
        expect(strength).toBeGreaterThanOrEqual(-1);
        expect(strength).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('carries less the more links there are, and nothing for 200', () => {
    expect(linkWeight(1, 1)).toBe(1);
    expect(linkWeight(1, 10)).toBeLessThan(linkWeight(1, 5));
    expect(linkWeight(1, 200)).toBeCloseTo(0);
    expect(linkWeight(-0.5, 1)).toBe(0);
  });
});
