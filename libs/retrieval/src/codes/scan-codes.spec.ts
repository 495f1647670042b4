import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bitsOf, CODE_WORDS } from '@peregrine/ai/vectors';
import { scanCodes } from './scan-codes.js';

// Few bits set, so that many codes are equally far.
const word = fc.oneof(fc.constantFrom(0, 1, 3, 0x8000_0000), fc.integer({ min: 0, max: 0xffff_ffff }));
const code = fc
  .array(word, { minLength: CODE_WORDS, maxLength: CODE_WORDS })
  .map((it) => Uint32Array.from(it));

const scan = fc.record({
  list: fc.array(fc.record({ code, passes: fc.boolean() }), { maxLength: 30 }),
  probe: code,
  maxDistance: fc.integer({ min: 0, max: 384 }),
  after: fc.option(fc.record({ distance: fc.nat(384), place: fc.integer({ min: -1, max: 30 }) }), {
    nil: undefined,
  }),
  limit: fc.integer({ min: 1, max: 40 }),
});

describe('scanCodes', () => {
  it('finds what sorting all codes by distance and place finds', () => {
    fc.assert(
      fc.property(scan, ({ list, probe, maxDistance, after, limit }) => {
        const bits = bitsOf(probe);
        const expected = list
          .map((it, place) => {
            const distance = [...bitsOf(it.code)].filter((bit, at) => bit !== bits[at]).length;
            return { place, distance, passes: it.passes };
          })
          .filter((it) => it.passes && it.distance <= maxDistance)
          .filter((it) => !after || it.distance - after.distance || it.place > after.place)
          .filter((it) => !after || it.distance >= after.distance)
          .sort((a, b) => a.distance - b.distance || a.place - b.place)
          .slice(0, limit);
        const found = scanCodes({
          codes: Uint32Array.from(list.flatMap((it) => [...it.code])),
          places: Uint32Array.from(list.flatMap((it, place) => (it.passes ? [place] : []))),
          ...{ probe, maxDistance, after, limit },
        });
        expect([...found.places]).toEqual(expected.map((it) => it.place));
        expect([...found.distances]).toEqual(expected.map((it) => it.distance));
      }),
    );
  });
});
