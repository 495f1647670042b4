import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BestScores } from './best-scores.js';

describe('BestScores', () => {
  it('has the threshold that sorting has, after every score', () => {
    const score = fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, -Infinity));
    fc.assert(
      fc.property(fc.array(score, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (scores, limit) => {
        const best = new BestScores(limit);
        scores.forEach((it, at) => {
          best.add(it);
          const sorted = scores.slice(0, at + 1).sort((a, b) => b - a);
          // Zero has two signs, which sorting does not tell apart.
          expect(best.threshold + 0).toBe((sorted[limit - 1] ?? -Infinity) + 0);
        });
      }),
    );
  });
});
