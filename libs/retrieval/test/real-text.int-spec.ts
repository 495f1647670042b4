import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HashingModel } from '@peregrine/ai';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { RetrievalFixture } from './retrieval-fixture.js';

const DATA = new URL('../../../tools/bench/data/memory-eval/', import.meta.url);
const QUERIES = 40;
const LIMIT = 10;
const TEXTS_PER_FILE = 200;
/** Equal texts have equal scores: which of them is found does not matter. */
const SAME = 1e-6;

/** 3,509 passages of manuals, by an embedding most of whose dimensions are zero: nothing of it is spread evenly over the sphere. */
describe('the certificate on real text', () => {
  const model = new HashingModel();
  let fixture: RetrievalFixture;
  let workspace: string;
  let passages: readonly Float32Array[];
  let questions: readonly Float32Array[];

  beforeAll(async () => {
    const embedder = {
      id: model.id,
      dimensions: model.dimensions,
      embed: async (texts: readonly string[]) => (await model.embed(texts)).vectors,
    };
    fixture = await RetrievalFixture.start({ certainty: 2 }, embedder);
    workspace = await fixture.workspace();
    const texts = linesOf('docs.jsonl.gz');
    for (let at = 0; at < texts.length; at += TEXTS_PER_FILE) {
      await fixture.add(workspace, texts.slice(at, at + TEXTS_PER_FILE));
    }
    await fixture.query('ANALYZE');
    passages = await embedder.embed(texts);
    questions = await embedder.embed(linesOf('queries.jsonl.gz').slice(0, QUERIES));
  }, 300_000);
  afterAll(() => fixture?.stop());

  // The least mean is what the README proves; how many questions miss a passage follows from it: ten may, each by itself.
  it.each([
    { recallFloor: 0.95, z: 2, leastMean: 0.977, mostUnder: 0.2 },
    { recallFloor: 0.99, z: 3, leastMean: 0.9987, mostUnder: 0.0135 },
  ])(
    'keeps the expected recall of z = $z',
    async ({ recallFloor, z, leastMean, mostUnder }) => {
      const recalls: number[] = [];
      let compared = 0;
      for (const vector of questions) {
        const exact = passages.map((it) => dot(it, vector)).sort((a, b) => b - a);
        const least = (exact[LIMIT - 1] ?? 0) - SAME;
        const { hits, explanation } = await fixture.service.query(workspace, {
          ...{ vector, limit: LIMIT, recallFloor, plan: 'filtered-vector' },
        });
        expect(explanation.wantedZ).toBe(z);
        expect(explanation.status).not.toBe('uncertified');
        compared += explanation.compared;
        recalls.push(hits.filter((it) => it.cosine >= least).length / LIMIT);
      }
      const mean = recalls.reduce((sum, it) => sum + it, 0) / QUERIES;
      expect(mean).toBeGreaterThanOrEqual(leastMean);
      expect(recalls.filter((it) => it < 0.95).length / QUERIES).toBeLessThanOrEqual(mostUnder);
      expect(compared / QUERIES).toBeLessThan(passages.length / 2);
    },
    300_000,
  );
});

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
