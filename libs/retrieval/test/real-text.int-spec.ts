import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HashingModel } from '@peregrine/ai';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Embedder, RetrievalCalibration } from '../src/index.js';
import { RetrievalFixture } from './retrieval-fixture.js';

const DATA = new URL('../../../tools/bench/data/memory-eval/', import.meta.url);
/** Of 3,509 passages and 1,285 questions, in the order of the manuals: one in so many, so that all manuals are there. */
const EVERY_PASSAGE = 1.75;
const EVERY_QUESTION = 26;
const LIMIT = 10;
const TEXTS_PER_FILE = 500;
/** Equal texts have equal scores: which of them is found does not matter. */
const SAME = 1e-6;

/** A question, and the score of the last of its exact answer. */
interface Question {
  readonly vector: Float32Array;
  readonly least: number;
}

/** Passages of manuals, by an embedding most of whose dimensions are zero: nothing of it is spread evenly over the sphere. */
describe('the certificate on real text', () => {
  let fixture: RetrievalFixture;
  let workspace: string;
  let embedder: Embedder;
  let questions: readonly Question[];
  let sampled: readonly Float32Array[];
  let passageCount: number;

  beforeAll(async () => {
    const passages = some(linesOf('docs.jsonl.gz'), EVERY_PASSAGE);
    const asked = some(linesOf('queries.jsonl.gz'), EVERY_QUESTION);
    passageCount = passages.length;
    const model = new HashingModel();
    const { vectors } = await model.embed([...passages, ...asked]);
    const known = new Map(
      [...passages, ...asked].map((text, at) => [text, vectors[at] ?? new Float32Array()]),
    );
    const vectorOf = (text: string) => known.get(text) ?? new Float32Array();
    embedder = {
      ...{ id: model.id, dimensions: model.dimensions },
      embed: (texts) => Promise.resolve(texts.map(vectorOf)),
    };
    fixture = await RetrievalFixture.start({ certainty: 2 }, embedder);
    workspace = await fixture.workspace();
    for (let at = 0; at < passageCount; at += TEXTS_PER_FILE) {
      await fixture.add(workspace, passages.slice(at, at + TEXTS_PER_FILE));
    }
    await fixture.query('ANALYZE');
    // In turn, so that both have questions of every sort.
    const isAsked = (at: number) => at % 2 === 0;
    questions = asked
      .filter((_, at) => isAsked(at))
      .map((text) => {
        const vector = vectorOf(text);
        const exact = passages.map((it) => dot(vectorOf(it), vector)).sort((a, b) => b - a);
        return { vector, least: (exact[LIMIT - 1] ?? 0) - SAME };
      });
    sampled = asked.filter((_, at) => !isAsked(at)).map(vectorOf);
  }, 300_000);
  afterAll(() => fixture?.stop());

  /** Of each question, the share of the exact answer that is found at this certainty. */
  async function recalls(of: RetrievalFixture, recallFloor: number, z: number) {
    const found: number[] = [];
    let compared = 0;
    for (const { vector, least } of questions) {
      const { hits, explanation } = await of.service.query(workspace, {
        ...{ vector, limit: LIMIT, recallFloor, plan: 'filtered-vector' },
      });
      expect(explanation.wantedZ).toBe(z);
      expect(explanation.status).not.toBe('uncertified');
      compared += explanation.compared;
      found.push(hits.filter((it) => it.cosine >= least).length / LIMIT);
    }
    const mean = found.reduce((sum, it) => sum + it, 0) / found.length;
    const under = found.filter((it) => it < 0.95).length / found.length;
    return { mean, under, compared: compared / found.length / passageCount };
  }

  // The least mean is what the README proves; how many questions miss a passage follows from it: ten may, each by itself.
  it.each([
    { recallFloor: 0.95, z: 2, leastMean: 0.977, mostUnder: 0.2 },
    { recallFloor: 0.99, z: 3, leastMean: 0.9987, mostUnder: 0.0135 },
  ])('keeps the expected recall of z = $z', async ({ recallFloor, z, leastMean, mostUnder }) => {
    const { mean, under, compared } = await recalls(fixture, recallFloor, z);
    expect(mean).toBeGreaterThanOrEqual(leastMean);
    expect(under).toBeLessThanOrEqual(mostUnder);
    expect(compared).toBeLessThan(0.5);
  });

  it('finds the certainty that nearly all questions need from other questions', async () => {
    const missRate = 0.05;
    const calibration = { share: 1, refreshMs: 0, missRate };
    const sampling = await fixture.beside({ calibration }, embedder);
    for (const vector of sampled) {
      await sampling.service.query(workspace, { vector, limit: LIMIT });
      await sampling.get(RetrievalCalibration).idle();
    }
    const { z, samples } = await sampling.get(RetrievalCalibration).current();
    expect(samples).toBe(sampled.length);
    expect(z).toBeGreaterThan(2);
    expect(z).toBeLessThan(4);
    const asking = await fixture.beside({ calibration: { ...calibration, share: 0 } }, embedder);
    const { mean, under } = await recalls(asking, 0.95, z);
    expect(mean).toBeGreaterThanOrEqual(0.99);
    // The miss rate is that of many samples and many questions; of so few, twice as many may miss.
    expect(under).toBeLessThanOrEqual(2 * missRate);
  });
});

function some(texts: readonly string[], every: number): string[] {
  return Array.from(
    { length: Math.floor(texts.length / every) },
    (_, at) => texts[Math.floor(at * every)] ?? '',
  );
}

/** The embedding has length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

function linesOf(name: string): string[] {
  const text = gunzipSync(readFileSync(new URL(name, DATA))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
}
