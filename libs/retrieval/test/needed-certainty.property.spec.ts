import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CODE_BITS } from '@peregrine/ai/vectors';
import { certaintyFor, certaintyToReach, cutOff } from '../src/certificate/certificate.js';
import { leastHits, neededCertainty, neededZ } from '../src/certificate/needed-certainty.js';
import { exactOf, type ModelCorpus, search } from './model-search.js';

const cosine = fc.double({ min: -0.99, max: 1, noNaN: true });
const distance = fc.integer({ min: 0, max: CODE_BITS });

describe('the certainty that reaches a code', () => {
  it('is the least one whose cut-off does', () => {
    fc.assert(
      fc.property(distance, cosine, (far, score) => {
        const z = certaintyToReach(far, score);
        fc.pre(Number.isFinite(z));
        expect(cutOff(score, z)).toBeGreaterThanOrEqual(far);
        if (z > 1e-6) expect(cutOff(score, z - 1e-6)).toBeLessThan(far);
      }),
    );
  });

  it('is any one for an equal vector with an equal code, and none for one whose code differs', () => {
    expect(certaintyToReach(0, 1)).toBe(0);
    expect(certaintyToReach(1, 1)).toBe(Infinity);
    expect(certaintyToReach(CODE_BITS, -Infinity)).toBe(0);
  });
});

/** Chunks of any scores with codes at any distances, whatever their cosines would make of them. */
const corpora: fc.Arbitrary<ModelCorpus> = fc
  .record({
    chunks: fc.array(
      fc.record({ score: fc.double({ min: -0.8, max: 1, noNaN: true }), distance, isNear: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 60,
      },
    ),
    limit: fc.integer({ min: 1, max: 25 }),
    boost: fc.constantFrom(0, 0.15),
  })
  .map(({ chunks, limit, boost }) => ({
    members: chunks
      .map((it, at) => ({ ...it, chunkId: String(at), bonus: it.isNear ? boost : 0 }))
      .sort((a, b) => b.score - a.score),
    limit,
  }));

describe('the z that a query needs', () => {
  it('keeps the floor when the search is as certain as that, or more', () => {
    const floors = fc.double({ min: 0.01, max: 1, noNaN: true });
    const more = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(corpora, floors, more, (corpus, floor, extra) => {
        const exact = exactOf(corpus);
        const z = neededZ(exact, floor) + extra;
        const wanted = new Set(exact.members.map((it) => it.chunkId));
        const hits = search(corpus, z).filter((it) => wanted.has(it.chunkId));
        expect(hits.length).toBeGreaterThanOrEqual(leastHits(exact, floor));
      }),
      { numRuns: 500 },
    );
  });

  it('is what reaches the exact answer, and less would not reach it', () => {
    fc.assert(
      fc.property(corpora, (corpus) => {
        const exact = exactOf(corpus);
        const z = neededZ(exact, 1);
        fc.pre(Number.isFinite(z) && z > 1e-6 && exact.members.length === corpus.limit);
        const worst = exact.members.at(-1)?.score ?? NaN;
        const isReached = (at: number) =>
          exact.members.every((it) => it.distance <= cutOff(worst - it.bonus, at));
        expect(isReached(z)).toBe(true);
        expect(isReached(z - 1e-6)).toBe(false);
      }),
    );
  });

  it('is none when everything that there is is the answer', () => {
    const members = [{ chunkId: 'a', score: 0.2, bonus: 0, distance: 380 }];
    expect(neededZ({ members, limit: 2 }, 1)).toBe(0);
  });

  it.each([0.5, 0.95, 0.97, 0.998])('keeps a floor of %d as a certainty, and 0.95', (floor) => {
    fc.assert(
      fc.property(corpora, (corpus) => {
        const exact = exactOf(corpus);
        const certainty = neededCertainty(exact, floor);
        fc.pre(Number.isFinite(certainty));
        const wanted = new Set(exact.members.map((it) => it.chunkId));
        for (const each of [floor, 0.95]) {
          const hits = search(corpus, certaintyFor(each, certainty)).filter((it) => wanted.has(it.chunkId));
          expect(hits.length).toBeGreaterThanOrEqual(leastHits(exact, each));
        }
      }),
    );
  });
});
