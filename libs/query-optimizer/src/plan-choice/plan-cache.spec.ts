import { describe, expect, it } from '@jest/globals';
import { PlanCache, type PlannedEntry, planKey } from './plan-cache.js';

const entry = (key: string): PlannedEntry => ({
  key,
  plan: 1,
  reason: 'gain',
  predictedMs: Float64Array.of(20, 10),
  predicted: {},
  modelVersion: 1,
  shares: undefined,
  runs: 0,
  missed: 0,
  averageMs: 0,
});

const always = () => true;

function filled(key = 'a') {
  const cache = new PlanCache(2);
  const known = entry(key);
  cache.set(key, known);
  return { cache, known };
}

describe('PlanCache', () => {
  it('forgets a plan that takes half as long again as it should, though not for one run', () => {
    const { cache, known } = filled();
    for (let run = 0; run < 4; run++) cache.ran(known, 16, false);
    expect(cache.get('a', always)).toBe(known);
    cache.ran(known, 16, false);
    expect(cache.get('a', always)).toBeUndefined();
    expect(cache.report()).toEqual({ entries: 0, hits: 1, misses: 1, drops: { slower: 1 } });
  });

  it('keeps one that is as predicted', () => {
    const { cache, known } = filled();
    for (let run = 0; run < 100; run++) cache.ran(known, 12, run === 99);
    expect(cache.get('a', always)).toBe(known);
  });

  it('forgets a plan whose answers miss the floor too often', () => {
    const { cache, known } = filled();
    cache.ran(known, 10, true);
    expect(cache.get('a', always)).toBeUndefined();
    expect(cache.report().drops).toEqual({ 'missed floor': 1 });
  });

  it('does not give out what cannot be used', () => {
    const { cache } = filled();
    expect(cache.get('a', () => false)).toBeUndefined();
    expect(cache.report()).toMatchObject({ entries: 1, hits: 0, misses: 1 });
  });

  it('leaves a newer plan alone when an older one ends badly', () => {
    const { cache, known } = filled();
    const newer = entry('a');
    cache.set('a', newer);
    cache.ran(known, 10, true);
    expect(cache.get('a', always)).toBe(newer);
  });

  it('keeps those that were used last, and forgets all on wish', () => {
    const { cache } = filled();
    cache.set('b', entry('b'));
    cache.get('a', always);
    cache.set('c', entry('c'));
    expect(['a', 'b', 'c'].map((key) => cache.get(key, always)?.key)).toEqual(['a', undefined, 'c']);
    cache.clear('index dropped');
    expect(cache.report()).toMatchObject({ entries: 0, drops: { 'index dropped': 2 } });
  });

  it('tells questions apart by shape, buckets, allowed plans and fallback', () => {
    const numbered = { row: new Float64Array(), allowed: 3, fallback: 0 };
    const keys = [
      planKey({ shape: 's', buckets: [1, 2] }, numbered),
      planKey({ shape: 's', buckets: [12] }, numbered),
      planKey({ shape: 't', buckets: [1, 2] }, numbered),
      planKey({ shape: ',2;s', buckets: [1] }, numbered),
      planKey({ shape: 's', buckets: [1, 2] }, { ...numbered, allowed: 1 }),
      planKey({ shape: 's', buckets: [1, 2] }, { ...numbered, fallback: 1 }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
