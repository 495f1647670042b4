import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HashingModel, hashText } from './hashing-model.js';

function cosine(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, it, index) => sum + it * (right[index] ?? 0), 0);
}

describe('HashingModel', () => {
  it('has the same vector for the same text for ever', () => {
    const vector = hashText('Wild geese fly south in the autumn');
    const places = [...vector.keys()].filter((it) => vector[it] !== 0);
    expect(places.slice(0, 4)).toEqual([0, 8, 13, 17]);
    expect(vector[0]).toBeCloseTo(0.1336306, 6);
  });

  it('brings texts with the same words nearer than others', () => {
    const question = hashText('How do I create an index concurrently?');
    const answer = hashText('CREATE INDEX CONCURRENTLY builds the index without locking out writes');
    const other = hashText('The festival opens with music and dancing on the square');
    expect(cosine(question, answer)).toBeGreaterThan(2 * cosine(question, other));
  });

  it('knows words by their parts, and tells numbers and negations apart', () => {
    expect(cosine(hashText('indexing'), hashText('indexed'))).toBeGreaterThan(0.3);
    expect(cosine(hashText('listen on port 8080'), hashText('listen on port 8090'))).toBeLessThan(0.99);
    expect(cosine(hashText('it is safe'), hashText('it is not safe'))).toBeLessThan(0.99);
  });

  it('is of length 1, or 0 without a word, and never NaN', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const vector = hashText(text);
        const length = Math.sqrt(cosine(vector, vector));
        expect(vector).toHaveLength(384);
        expect(Math.min(Math.abs(length - 1), length)).toBeLessThan(1e-5);
      }),
    );
  });

  it('ends when its caller has gone', async () => {
    const texts = Array.from({ length: 200 }, (_, it) => `text ${it}`);
    await expect(new HashingModel().embed(texts, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });
});
