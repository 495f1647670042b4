import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, cosineToBytes, vectorOf } from './vector-bytes.js';

const vector = fc.float32Array({ noNaN: true, minLength: 1, maxLength: 48 });

describe('the bytes of a vector', () => {
  it('are 32-bit floats, little-endian', () => {
    expect(bytesOf(Float32Array.of(1, -2)).toString('hex')).toBe('0000803f000000c0');
  });

  it('give the vector back', () => {
    fc.assert(fc.property(vector, (it) => expect(vectorOf(bytesOf(it))).toEqual(it)));
  });

  it('are compared as the vector itself is, wherever they lie in memory', () => {
    const stored = Buffer.concat([Buffer.of(7), bytesOf(Float32Array.of(3, 4))]).subarray(1);
    expect(cosineToBytes(Float32Array.of(4, 3), stored)).toBeCloseTo(0.96);
    expect(cosineToBytes(Float32Array.of(6, 8), stored)).toBe(1);
    expect(cosineToBytes(Float32Array.of(0, 0), stored)).toBe(0);
  });
});
