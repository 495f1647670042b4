import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { certaintyOf } from '../certificate/certificate.js';
import { bitsOf, CODE_WORDS, readBits, signCode } from './sign-code.js';

const vector = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 48, maxLength: 48 })
  .filter((it) => it.some((value) => Math.abs(value) > 0.01))
  .map((it) => Float32Array.from(it));

function distance(a: Uint32Array, b: Uint32Array): number {
  const [left, right] = [bitsOf(a), bitsOf(b)];
  return [...left].filter((bit, at) => bit !== right[at]).length;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, it, at) => sum + it * (y[at] ?? 0), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

describe('signCode', () => {
  it('strays from the angle by few deviations, also where all vectors point the same way', () => {
    const skewed = vector.map((it) => it.map((value, at) => value + (at < 4 ? 3 : 0)));
    fc.assert(
      fc.property(fc.oneof(fc.tuple(vector, vector), fc.tuple(skewed, skewed)), ([a, b]) => {
        // Six deviations: once in a thousand million.
        expect(certaintyOf(distance(signCode(a), signCode(b)), cosine(a, b))).toBeLessThan(6);
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('does not depend on the length of a vector', () => {
    fc.assert(
      fc.property(vector, (it) => {
        expect(signCode(it.map((value) => value * 4))).toEqual(signCode(it));
      }),
      { numRuns: 50 },
    );
  });

  it('is written and read as PostgreSQL has it', () => {
    fc.assert(
      fc.property(vector, (it) => {
        const words = new Uint32Array(2 * CODE_WORDS);
        readBits(bitsOf(signCode(it)), words, CODE_WORDS);
        expect(words.subarray(CODE_WORDS)).toEqual(signCode(it));
      }),
      { numRuns: 50 },
    );
  });
});
