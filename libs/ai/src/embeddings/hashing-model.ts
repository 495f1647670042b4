import { type EmbeddedTexts, type EmbeddingModel } from './embedding-model.js';

const DIMENSIONS = 384;
const WORD = /[\p{L}\p{N}_]+/gu;

/** A pair of words counts half: it is rarer, and says what its words say already. */
const PAIR_WEIGHT = 0.5;
const SHORTEST_GRAM = 3;
const LONGEST_GRAM = 5;

/** Kinds of features must not share their hashes: `w` words, `b` pairs, `c` pieces of words. */
const SEEDS = { word: seedOf('w'), pair: seedOf('b'), gram: seedOf('c') };

/**
 * English words that say little. Without them questions and statements come closer to each other. What negates (`no`, `not`) is not among them.
 */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by can do does for from had has have how i if in into is it its may me my of on or ' +
    'should so that the their them then there these they this to use used using was we what when where which will ' +
    'with would you your'
  ).split(' '),
);

/** How many texts are embedded before others have their turn. */
const TEXTS_PER_TURN = 64;

/**
 * Embeddings without a model: signed feature hashing (Weinberger et al. 2009, doi.org/10.1145/1553374.1553516) of
 * words, pairs of words, and their pieces of three to five characters, counted, and scaled to length 1. The same text has the same vector
 * everywhere and for ever. **Lexical only**: texts are near when they share words or parts of words; a synonym is as far as anything else.
 */
export class HashingModel implements EmbeddingModel {
  readonly id = 'local-hashing-384-v1';
  readonly name = this.id;
  readonly dimensions = DIMENSIONS;
  readonly isLocal = true;

  async embed(texts: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<EmbeddedTexts> {
    const vectors: Float32Array[] = [];
    for (const text of texts) {
      vectors.push(hashText(text));
      if (vectors.length % TEXTS_PER_TURN !== 0) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    return { vectors, promptTokens: vectors.map(() => 0) };
  }
}

/** The vector of one text; all zeros for one without a word. */
export function hashText(text: string): Float32Array {
  const sums = new Float64Array(DIMENSIONS);
  let previous: string | undefined;
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    if (STOP_WORDS.has(word)) continue;
    count(sums, hash(SEEDS.word, word), 1);
    if (previous !== undefined) count(sums, hash(SEEDS.pair, `${previous} ${word}`), PAIR_WEIGHT);
    countGrams(sums, `^${word}$`);
    previous = word;
  }
  return scaledToOne(sums);
}

function countGrams(sums: Float64Array, bounded: string): void {
  for (let start = 0; start + SHORTEST_GRAM <= bounded.length; start++) {
    const end = Math.min(start + LONGEST_GRAM, bounded.length);
    let state = SEEDS.gram;
    for (let at = start; at < end; at++) {
      state = step(state, bounded.charCodeAt(at));
      if (at - start + 1 >= SHORTEST_GRAM) count(sums, mixed(state), 1);
    }
  }
}

function count(sums: Float64Array, hashed: number, weight: number): void {
  const sign = hashed >>> 31 === 0 ? 1 : -1;
  sums[hashed % DIMENSIONS] = (sums[hashed % DIMENSIONS] ?? 0) + sign * weight;
}

function scaledToOne(sums: Float64Array): Float32Array {
  let squares = 0;
  for (const it of sums) squares += it * it;
  const length = Math.sqrt(squares);
  return Float32Array.from(sums, (it) => (length === 0 ? 0 : it / length));
}

/** FNV-1a over UTF-16 code units, with the last steps of MurmurHash3 so that all bits depend on all. */
function hash(seed: number, text: string): number {
  let state = seed;
  for (let at = 0; at < text.length; at++) state = step(state, text.charCodeAt(at));
  return mixed(state);
}

function step(state: number, unit: number): number {
  return Math.imul(state ^ unit, 0x01000193);
}

function mixed(state: number): number {
  let it = state ^ (state >>> 16);
  it = Math.imul(it, 0x85ebca6b);
  it = Math.imul(it ^ (it >>> 13), 0xc2b2ae35);
  return (it ^ (it >>> 16)) >>> 0;
}

function seedOf(kind: string): number {
  return step(0x811c9dc5, kind.charCodeAt(0));
}
