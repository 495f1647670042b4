import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packed } from './embedding-batcher.js';
import { split } from './provider-embedding-model.js';
import { estimateTokens } from './token-estimate.js';

describe('packed', () => {
  it('fills a pack before it begins the next, and never beyond a limit', () => {
    const items = Array.from({ length: 2_500 }, () => ({ text: 'word' }));
    expect(packed(items, { maxInputs: 2_048, maxTokens: 300_000 }).map((it) => it.length)).toEqual([
      2_048, 452,
    ]);
    expect(packed(items, { maxInputs: 2_048, maxTokens: 2_000 }).map((it) => it.length)).toEqual([
      1_000, 1_000, 500,
    ]);
  });

  it('loses nothing and keeps the order', () => {
    const texts = fc.array(fc.record({ text: fc.string({ maxLength: 50 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(
        texts,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 60 }),
        (items, maxInputs, maxTokens) => {
          const packs = packed(items, { maxInputs, maxTokens });
          expect(packs.flat()).toEqual(items);
          for (const pack of packs) {
            const tokens = pack.reduce((sum, it) => sum + estimateTokens(it.text), 0);
            expect(pack.length === 1 || (pack.length <= maxInputs && tokens <= maxTokens)).toBe(true);
          }
        },
      ),
    );
  });
});

it('tokens are split over the inputs without losing one', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.array(fc.nat(9_000), { minLength: 1 }), (total, estimates) => {
      const parts = split(total, estimates);
      const sum = estimates.every((it) => it === 0) ? 0 : total;
      expect(parts.reduce((one, it) => one + it, 0)).toBe(sum);
      expect(parts.every((it) => it >= 0)).toBe(true);
    }),
  );
});
