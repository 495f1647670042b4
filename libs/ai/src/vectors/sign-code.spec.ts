import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bitsOf,
  CODE_BITS,
  CODE_WORDS,
  distanceDeviation,
  expectedDistance,
  readBits,
  signCode,
} from './sign-code.js';
import { bytesOf, cosineToBytes } from './vector-bytes.js';

const wave = (shift: number, dimensions = 384) =>
  Float32Array.from({ length: dimensions }, (_, at) => Math.sin(at * 1.7 + shift));

const vector = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 48, maxLength: 48 })
  .filter((it) => it.some((value) => Math.abs(value) > 0.01))
  .map((it) => Float32Array.from(it));

function distance(a: Float32Array, b: Float32Array): number {
  const [left, right] = [bitsOf(signCode(a)), bitsOf(signCode(b))];
  return [...left].filter((bit, at) => bit !== right[at]).length;
}

/** How many deviations the distance of the codes is from what the angle of the vectors says. */
function strayed(a: Float32Array, b: Float32Array): number {
  const expected = expectedDistance(cosineToBytes(a, bytesOf(b)));
  return Math.abs(distance(a, b) - expected) / (distanceDeviation(expected) || 1);
}

describe('signCode', () => {
  it('is the same in every process, since what is stored must mean the same for ever', () => {
    expect(bitsOf(signCode(wave(0))).slice(0, 32)).toBe('11101101001111101100110000100000');
    expect(bitsOf(signCode(wave(0, 1_536))).slice(-32)).toBe('01100010011010001100011010011101');
    expect(bitsOf(signCode(wave(0, 3))).slice(0, 32)).toBe('10000110110100100101000111110011');
  });

  it('has its length for embeddings of any length', () => {
    expect(bitsOf(signCode(wave(0, 1_536)))).toHaveLength(CODE_BITS);
    expect(bitsOf(signCode(wave(0, 3)))).toHaveLength(CODE_BITS);
  });

  it.each([0.2, 0.7, 1.2, 2, 3])('tells an angle of %p', (angle) => {
    expect(strayed(wave(0), wave(angle))).toBeLessThan(4);
  });

  it('strays from the angle by few deviations, also where all vectors point the same way', () => {
    const skewed = vector.map((it) => it.map((value, at) => value + (at < 4 ? 3 : 0)));
    fc.assert(
      fc.property(fc.oneof(fc.tuple(vector, vector), fc.tuple(skewed, skewed)), ([a, b]) => {
        // Six deviations: once in a thousand million.
        expect(strayed(a, b)).toBeLessThan(6);
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
