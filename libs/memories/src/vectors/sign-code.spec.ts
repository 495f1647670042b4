import { describe, expect, it } from '@jest/globals';
import { CODE_BITS, distanceDeviation, expectedDistance, signCode } from './sign-code.js';

const wave = (shift: number, dimensions = 384) =>
  Float32Array.from({ length: dimensions }, (_, at) => Math.sin(at * 1.7 + shift));

const distance = (one: string, other: string) => [...one].filter((it, at) => it !== other[at]).length;

describe('the sign code', () => {
  it('is the same in every process and for every scale', () => {
    expect(signCode(wave(0))).toMatch(/^[01]{384}$/);
    expect(signCode(wave(0).map((it) => 7 * it))).toBe(signCode(wave(0)));
    // What is stored must mean the same for ever.
    expect(signCode(wave(0)).slice(0, 32)).toBe('11101101001111101100110000100000');
  });

  it.each([0.2, 0.7, 1.2, 2, 3])('tells an angle of %p', (angle) => {
    const expected = expectedDistance(Math.cos(angle));
    const measured = distance(signCode(wave(0)), signCode(wave(angle)));
    expect(Math.abs(measured - expected)).toBeLessThan(4 * distanceDeviation(expected));
  });

  it('has its length for embeddings of any length', () => {
    expect(signCode(wave(0, 1_536))).toHaveLength(CODE_BITS);
    expect(signCode(wave(0, 3))).toHaveLength(CODE_BITS);
  });
});
