import { bitsOf, CODE_BITS, CODE_WORDS, readBits } from '@peregrine/ai/vectors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CodeRow, CodeRowsBuilder } from '../codes/code-rows.js';
import { type ChunkFilter } from '../search/chunk-filter.js';
import { CodeSample } from './code-sample.js';

const code = fc
  .array(fc.noBias(fc.integer({ min: 0, max: 0xffff_ffff })), {
    minLength: CODE_WORDS,
    maxLength: CODE_WORDS,
  })
  .map((it) => bitsOf(Uint32Array.from(it)));
const day = (at: number) => new Date(Date.UTC(2026, 0, at));

const row = fc.record({
  id: fc.uuid(),
  code,
  type: fc.constantFrom('note', 'page', 'rare'),
  documentId: fc.constantFrom('a', 'b', 'c'),
  createdAt: fc.integer({ min: 1, max: 9 }).map(day),
});
const filter: fc.Arbitrary<ChunkFilter> = fc.record(
  {
    types: fc.subarray(['note', 'page', 'rare', 'unheard of'], { minLength: 1 }),
    documentIds: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    createdFrom: fc.integer({ min: 1, max: 9 }).map(day),
    createdBefore: fc.integer({ min: 1, max: 9 }).map(day),
  },
  { requiredKeys: [] },
);

function passes({ types, documentIds, createdFrom, createdBefore }: ChunkFilter, it: CodeRow): boolean {
  return (
    (!types || types.includes(it.type)) &&
    (!documentIds || documentIds.includes(it.documentId)) &&
    (!createdFrom || it.createdAt >= createdFrom) &&
    (!createdBefore || it.createdAt < createdBefore)
  );
}

function sampleOf(rows: readonly CodeRow[], size: number): CodeSample {
  const builder = new CodeRowsBuilder();
  // In two pages, as they come.
  builder.add(rows.slice(0, 3));
  builder.add(rows.slice(3));
  return new CodeSample('1', size, builder.build());
}

function wordsOf(bits: string): Uint32Array {
  const words = new Uint32Array(CODE_WORDS);
  readBits(bits, words, 0);
  return words;
}

describe('CodeSample', () => {
  it('says what share passes all conditions together, and how far that is', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 25 }), filter, code, (rows, wanted, query) => {
        const size = rows.length * 10;
        const reading = sampleOf(rows, size).read({ code: wordsOf(query), filter: wanted, limit: 5, z: 3 });
        const passing = rows.filter((it) => passes(wanted, it));
        const distances = (passing.length > 0 ? passing : rows)
          .map((it) => [...it.code].filter((bit, at) => bit !== query[at]).length)
          .sort((a, b) => a - b);
        expect(reading.passing).toBe(passing.length);
        expect(reading.nearest).toBe(distances[0]);
        expect(reading.median).toBe(distances[Math.floor(0.5 * (distances.length - 1))]);
        expect(reading.selectivity).toBeGreaterThan(0);
        expect(reading.selectivity).toBeLessThan(1);
        expect(reading.selectivityAtMost).toBeGreaterThanOrEqual(passing.length / rows.length);
        expect(reading.selectivityAtMost).toBeLessThanOrEqual(1);
        expect(reading.embeddings).toBeGreaterThan(0);
        expect(reading.embeddings).toBeLessThanOrEqual(size);
      }),
      { numRuns: 200 },
    );
  });

  it('bounds a filter that nothing of it passes', () => {
    const [one] = fc.sample(row, { numRuns: 1, seed: 3 });
    const rows = Array.from({ length: 400 }, () => ({ ...(one as CodeRow), type: 'note' }));
    const reading = sampleOf(rows, 100_000).read({
      ...{ code: new Uint32Array(CODE_WORDS), filter: { types: ['rare'] }, limit: 10, z: 3 },
    });
    expect(reading).toMatchObject({ passing: 0 });
    expect(reading.selectivity).toBeCloseTo(0.5 / 401, 6);
    // The usual "rule of three" would say 3/400.
    expect(reading.selectivityAtMost).toBeGreaterThan(2 / 400);
    expect(reading.selectivityAtMost).toBeLessThan(4 / 400);
  });

  it('knows nothing of an empty space, and says so by its widest bounds', () => {
    const reading = sampleOf([], 0).read({ code: new Uint32Array(CODE_WORDS), filter: {}, limit: 10, z: 3 });
    expect(reading).toMatchObject({ selectivityAtMost: 1, passing: 0, nearest: CODE_BITS, embeddings: 0 });
  });

  it('expects more embeddings for a query that everything is as near to, and all of them for all', () => {
    const rows = fc.sample(row, { numRuns: 100, seed: 5 }) as CodeRow[];
    const near = rows.map((it, at) => ({ ...it, code: at < 10 ? '0'.repeat(CODE_BITS) : it.code }));
    const question = { code: new Uint32Array(CODE_WORDS), filter: {}, limit: 10 };
    const easy = sampleOf(near, 1_000).read({ ...question, z: 3 });
    const hard = sampleOf(rows, 1_000).read({ ...question, z: 3 });
    const all = sampleOf(near, 1_000).read({ ...question, z: Infinity });
    expect(easy.embeddings).toBeLessThan(150);
    expect(hard.embeddings).toBeGreaterThan(300);
    expect(all.embeddings).toBeGreaterThan(990);
  });
});
