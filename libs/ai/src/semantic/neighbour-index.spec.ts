import { describe, expect, it } from '@jest/globals';
import { NeighbourIndex, type Question, unitVector } from './neighbour-index.js';
import { guardOf } from './reuse-guard.js';

/** A question whose embedding has the given angle, degrees. */
const question = (key: string, degrees: number, more: Partial<Question> = {}): Question => {
  const angle = (degrees / 180) * Math.PI;
  const vector = Float32Array.of(Math.cos(angle), Math.sin(angle));
  return { tenant: 't', key, context: 'c', vector, guard: guardOf('what is it'), ...more };
};
const index = (...questions: Question[]) => {
  const made = new NeighbourIndex({ maxTenants: 2, maxQuestionsPerTenant: 3 });
  for (const it of questions) made.add(it);
  return made;
};

describe('NeighbourIndex', () => {
  it('finds the nearest, and none below the threshold', () => {
    const made = index(question('far', 10), question('near', 4), question('nearest', 2));
    expect(made.nearest(question('asked', 0), 0.97)?.key).toBe('nearest');
    expect(made.nearest(question('asked', 40), 0.97)).toBeUndefined();
  });

  it('passes over a nearer one that the guard holds back', () => {
    const made = index(question('negated', 0, { guard: guardOf('what is it not') }), question('same', 5));
    expect(made.nearest(question('asked', 0), 0.97)?.key).toBe('same');
  });

  it('never looks at another tenant, another context, or the question itself', () => {
    const made = index(question('a', 0, { tenant: 'other' }), question('b', 0, { context: 'other' }));
    made.add(question('asked', 0));
    expect(made.nearest(question('asked', 0), 0.9)).toBeUndefined();
  });

  it('is bounded: the question, and the tenant, of longest ago goes', () => {
    const made = index(...['a', 'b', 'c', 'a', 'd'].map((key) => question(key, 0)));
    expect(['a', 'b', 'c', 'd'].filter((key) => made.has('t', key))).toEqual(['a', 'c', 'd']);
    for (const tenant of ['u', 'v']) made.add(question('a', 0, { tenant }));
    expect(made.has('t', 'a')).toBe(false);
    expect(made.size).toBe(2);
  });

  it('takes no vector without direction', () => {
    expect(unitVector(Float32Array.of(0, 0))).toBeUndefined();
    expect(unitVector(Float32Array.of(3, 4))).toEqual(Float32Array.of(0.6, 0.8));
  });
});
