import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PLANS } from '../plans/plans.js';
import { RETRIEVAL_MODES } from '../search/certified-search.js';
import { allowedPlans, fallbackOf } from './allowed-plans.js';
import { bucketsOf, featuresOf, type PlanFacts, RETRIEVAL_FEATURES, shapeOf } from './plan-features.js';

const count = fc.integer({ min: 0, max: 10_000_000 });
const facts: fc.Arbitrary<PlanFacts> = fc.record({
  mode: fc.constantFrom(...RETRIEVAL_MODES),
  filter: fc.record(
    { types: fc.constant(['a']), createdFrom: fc.constant(new Date(0)) },
    { requiredKeys: [] },
  ),
  hasText: fc.boolean(),
  limit: fc.integer({ min: 1, max: 1_000 }),
  wantedZ: fc.constantFrom(2, 3, 4, Infinity),
  seeds: fc.nat(100),
  twoHopSize: count,
  chunks: count,
  knownPassing: fc.option(count, { nil: undefined }),
  reading: fc.record({
    selectivity: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    selectivityAtMost: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    passing: fc.nat(400),
    nearest: fc.nat(384),
    tenth: fc.nat(384),
    median: fc.nat(384),
    embeddings: fc.double({ min: 0, max: 1e7, noNaN: true }),
  }),
  isResident: fc.boolean(),
  isNeighbourhoodKept: fc.boolean(),
  hasVectorIndex: fc.boolean(),
  keptVectors: count,
  queriesUnderWay: fc.nat(1_000),
});

describe('what the planner is asked', () => {
  it('has finite features, in the order of their names', () => {
    fc.assert(
      fc.property(facts, (it) => {
        const features = featuresOf(it);
        expect(features).toHaveLength(RETRIEVAL_FEATURES.length);
        expect(features.every(Number.isFinite)).toBe(true);
        expect(features[RETRIEVAL_FEATURES.indexOf('limit')]).toBeCloseTo(Math.log2(1 + it.limit), 9);
        expect(bucketsOf(it).every(Number.isInteger)).toBe(true);
      }),
    );
  });

  it('allows only plans that can answer, the fallback always, and none that is known to go wrong', () => {
    fc.assert(
      fc.property(facts, (it) => {
        const allowed = allowedPlans(it);
        expect(allowed).toContain(fallbackOf(it));
        for (const plan of allowed) expect(PLANS[plan].modes).toContain(it.mode);
        if (!it.isResident) expect(allowed).not.toContain('cached-partial');
        if (!it.hasVectorIndex) expect(allowed).not.toContain('vector-index');
        if (it.twoHopSize > 5_000) expect(allowed).not.toContain('graph-first');
        if (it.knownPassing === undefined && it.reading.selectivity < 0.001) {
          expect(allowed).not.toContain('vector-first');
        }
      }),
    );
  });

  it('has a shape of what is asked, and of no value', () => {
    const [one] = fc.sample(facts, { numRuns: 1, seed: 1 }) as [PlanFacts];
    const asked = { ...one, filter: { types: ['a'] } };
    expect(shapeOf({ ...asked, filter: { types: ['b', 'c'] } })).toBe(shapeOf(asked));
    expect(shapeOf({ ...asked, filter: { createdFrom: new Date() } })).not.toBe(shapeOf(asked));
    expect(shapeOf({ ...asked, mode: one.mode === 'boost' ? 'within' : 'boost' })).not.toBe(shapeOf(asked));
  });
});
