import { bytesOf, cosineToBytes } from '@peregrine/ai/vectors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KnownVectors, unitOf, VectorCache } from './vector-cache.js';

const DIMENSIONS = 7;
const ROOM = 4;

const vector = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: DIMENSIONS, maxLength: DIMENSIONS })
  .map((it) => Float32Array.from(it));

describe('KnownVectors', () => {
  it('has the cosines of those asked for last, and forgets the others', () => {
    const steps = fc.array(fc.record({ id: fc.integer({ min: 0, max: 8 }), isAsked: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        fc.array(vector, { minLength: 9, maxLength: 9 }),
        vector,
        steps,
        (vectors, query, asked) => {
          const known = new KnownVectors('test', DIMENSIONS, ROOM * DIMENSIONS * 4 + 3);
          const unit = unitOf(query);
          let model: number[] = [];
          for (const { id, isAsked } of asked) {
            const bytes = bytesOf(vectors[id] ?? query);
            const isKnown = model.includes(id);
            const expected = cosineToBytes(query, bytes);
            const found = known.cosine(`${id}`, unit);
            if (isKnown) expect(found).toBeCloseTo(expected, 5);
            else expect(found).toBeUndefined();
            if (!isKnown && isAsked) continue;
            if (!isKnown) expect(known.add(`${id}`, bytes, unit)).toBeCloseTo(expected, 5);
            model = [...model.filter((it) => it !== id), id].slice(-ROOM);
            expect(known.size).toBe(model.length);
          }
        },
      ),
    );
  });
});

describe('a vector that two queries asked for at once', () => {
  it('is kept once, and keeps its place', () => {
    const known = new KnownVectors('test', 2, 1_000);
    const [right, up] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    for (const id of ['a', 'a']) known.add(id, bytesOf(right), right);
    known.add('b', bytesOf(up), right);
    expect([known.cosine('a', right), known.cosine('b', right), known.size]).toEqual([1, 0, 2]);
  });
});

describe('VectorCache', () => {
  it('forgets the vectors of another embedder', () => {
    const cache = new VectorCache({ maxVectorBytes: 1_000 });
    const one = cache.of({ id: 'one', dimensions: 2 });
    const unit = Float32Array.of(1, 0);
    one.add('a', bytesOf(unit), unit);
    expect(cache.of({ id: 'one', dimensions: 2 })).toBe(one);
    expect(cache.figures).toEqual({ vectors: 1, sizeBytes: 8 });
    expect(cache.of({ id: 'other', dimensions: 2 }).cosine('a', unit)).toBeUndefined();
  });
});
