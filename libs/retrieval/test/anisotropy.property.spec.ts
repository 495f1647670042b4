import { beforeAll, describe, expect, it } from '@jest/globals';
import { CODE_BITS, CODE_WORDS, signCode } from '@peregrine/ai/vectors';
import { certaintyOf } from '../src/certificate/certificate.js';
import { conformalQuantile, MAX_CERTAINTY } from '../src/certificate/calibration-rule.js';
import { neededZ } from '../src/certificate/needed-certainty.js';
import { exactOf, type ModelCorpus, search } from './model-search.js';
import { randomNumbers } from './random-numbers.js';

/** As many as a code has bits, so that each dimension can have one. */
const DIMENSIONS = CODE_BITS;
const VECTORS = 1_000;
const QUERIES = 200;
const CLUSTERS = 40;
const LIMIT = 10;
/** Of every vector, beside a length of about 22 that is its own. */
const COMMON_COMPONENT = 100;

/** A bit a dimension: what one would take that does not turn the space first. */
function rawSigns(vector: Float32Array): Uint32Array {
  const code = new Uint32Array(CODE_WORDS);
  vector.forEach((it, at) => {
    if (it >= 0) code[at >>> 5] = (code[at >>> 5] ?? 0) | (1 << (at & 31));
  });
  return code;
}

describe('embeddings with one huge common component', () => {
  const { normal, below } = randomNumbers(5);
  const centres = Array.from({ length: CLUSTERS }, () => normalVector());
  const vectors = Array.from({ length: VECTORS }, near);
  const questions = Array.from({ length: QUERIES }, near);

  function normalVector(): Float32Array {
    return Float32Array.from({ length: DIMENSIONS }, normal);
  }

  function near(): Float32Array {
    const centre = centres[below(CLUSTERS)];
    const vector = normalVector().map((it, at) => 0.5 * it + (centre?.[at] ?? 0));
    vector[0] = COMMON_COMPONENT;
    const length = Math.hypot(...vector);
    return vector.map((it) => it / length);
  }

  /** What each question sees when codes are taken so. */
  function seen(codeOf: (vector: Float32Array) => Uint32Array): ModelCorpus[] {
    const codes = vectors.map(codeOf);
    return questions.map((question) => {
      const probe = codeOf(question);
      const members = vectors.map((it, at) => ({
        ...{ chunkId: String(at), bonus: 0, score: cosine(question, it) },
        distance: hamming(probe, codes[at] ?? probe),
      }));
      return { members: members.sort((a, b) => b.score - a.score), limit: LIMIT };
    });
  }

  let turned: ModelCorpus[];
  let raw: ModelCorpus[];
  beforeAll(() => {
    turned = seen(signCode);
    raw = seen(rawSigns);
  }, 120_000);

  /** Of an answer that is certified at this z. */
  const recalls = (corpora: readonly ModelCorpus[], z: number) =>
    corpora.map((corpus) => {
      const wanted = new Set(exactOf(corpus).members);
      return search(corpus, z).filter((it) => wanted.has(it)).length / LIMIT;
    });
  /** The certainty that all but one in 200 of such questions need. */
  const needed = (corpora: readonly ModelCorpus[]) =>
    conformalQuantile(
      corpora.map((it) => neededZ(exactOf(it), 0.95)),
      0.005,
    );
  const mean = (values: readonly number[]) => values.reduce((sum, it) => sum + it, 0) / values.length;

  it('obey the law of distances when the space is turned first: a missed chunk strays, and few do', () => {
    const strays = turned.flatMap(({ members }) =>
      members.slice(0, LIMIT).map((it) => certaintyOf(it.distance, it.score)),
    );
    expect(Math.abs(mean(strays))).toBeLessThan(0.5);
    expect(mean(strays.map((it) => it ** 2))).toBeLessThan(1.5);
    expect(mean(strays.map((it) => Number(it > 3)))).toBeLessThan(0.005);
    expect(mean(recalls(turned, 3))).toBeGreaterThanOrEqual(0.9987);
    expect(needed(turned)).toBeLessThan(3.5);
  });

  it('break it when each dimension has a bit: every answer is certified, and none keeps the floor', () => {
    expect(Math.max(...recalls(raw, 3))).toBeLessThan(0.95);
    expect(needed(raw)).toBeGreaterThan(MAX_CERTAINTY);
  });
});

/** Of two vectors of length 1. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

function hamming(a: Uint32Array, b: Uint32Array): number {
  let sum = 0;
  for (let word = 0; word < a.length; word++) {
    for (let bits = (a[word] ?? 0) ^ (b[word] ?? 0); bits !== 0; bits &= bits - 1) sum++;
  }
  return sum;
}
