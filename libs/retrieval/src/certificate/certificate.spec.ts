import { describe, expect, it } from '@jest/globals';
import { CODE_BITS } from '@peregrine/ai/vectors';
import fc from 'fast-check';
import { certaintyFor, certaintyOf, cutOff } from './certificate.js';

const cosine = fc.double({ min: -1, max: 1, noNaN: true });
const z = fc.double({ min: 0, max: 6, noNaN: true });

describe('the certificate', () => {
  it('is at least as certain as was asked for, once the cut-off is reached', () => {
    fc.assert(
      fc.property(cosine, z, (score, wanted) => {
        expect(certaintyOf(cutOff(score, wanted), score)).toBeGreaterThanOrEqual(wanted - 1e-9);
      }),
    );
  });

  it('asks for no more than it needs: one bit nearer is less certain', () => {
    fc.assert(
      fc.property(cosine, z, (score, wanted) => {
        const cut = cutOff(score, wanted);
        fc.pre(cut > 0 && cut < CODE_BITS);
        expect(certaintyOf(cut - 1, score)).toBeLessThan(wanted);
      }),
    );
  });

  it('reaches farther for a worse score and for more certainty', () => {
    fc.assert(
      fc.property(fc.tuple(cosine, cosine), z, ([one, other], wanted) => {
        const [worse, better] = [Math.min(one, other), Math.max(one, other)];
        // Over 90 degrees the deviation falls again, by less than the mean rises.
        fc.pre(worse >= 0);
        expect(cutOff(worse, wanted)).toBeGreaterThanOrEqual(cutOff(better, wanted));
        expect(cutOff(worse, wanted + 1)).toBeGreaterThanOrEqual(cutOff(worse, wanted));
      }),
    );
  });

  it('compares everything while there are too few scores, and for a floor of 1', () => {
    expect(cutOff(-Infinity, 2)).toBe(CODE_BITS);
    expect(cutOff(0.9, certaintyFor(1, 2))).toBe(CODE_BITS);
    expect(certaintyOf(CODE_BITS, 0.3)).toBe(Infinity);
    expect(certaintyOf(200, -Infinity)).toBe(-Infinity);
  });

  it('knows that equal vectors have equal codes', () => {
    expect(cutOff(1, 2)).toBe(0);
    expect(certaintyOf(0, 1)).toBe(Infinity);
    expect(certaintyOf(-1, 1)).toBe(-Infinity);
  });

  it.each([
    [0.5, 2],
    [0.95, 2],
    [0.99, 3],
    [0.998, 3],
    [0.999, Infinity],
    [1, Infinity],
  ])('keeps a floor of %d by %d deviations', (floor, wanted) => {
    expect(certaintyFor(floor, 2)).toBe(wanted);
  });
});
