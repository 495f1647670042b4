import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryQueryService } from '../src/index.js';
import { MemoriesFixture } from './memories-fixture.js';
import { type EvaluationQuery, loadEvaluation } from './memory-eval.js';

const ADDED_AT_ONCE = 500;
const ASKED_AT_ONCE = 8;
const DEPTH = 10;

let fixture: MemoriesFixture;
let workspace: string;
/** The memories of the evaluation that each of ours stands for. */
const namesOf = new Map<string, string[]>();
const { memories, queries } = loadEvaluation();

beforeAll(async () => {
  fixture = await MemoriesFixture.start();
  workspace = await fixture.workspace();
  for (let at = 0; at < memories.length; at += ADDED_AT_ONCE) {
    const part = memories.slice(at, at + ADDED_AT_ONCE);
    const added = await fixture.add(workspace, ...part.map((it) => it.text));
    for (const [place, { id }] of added.entries()) {
      namesOf.set(id, [...(namesOf.get(id) ?? []), part[place]?.id ?? '']);
    }
  }
  await fixture.settled(workspace);
}, 180_000);
afterAll(() => fixture?.stop());

/** The share of the answers among the first ten hits, and the reciprocal rank of the first one. */
async function judge({ text, rel }: EvaluationQuery) {
  const { hits, usedVector } = await fixture
    .get(MemoryQueryService)
    .query(workspace, { query: text, limit: DEPTH, learn: false });
  expect(usedVector).toBe(true);
  const wanted = new Set(rel);
  const found = new Set<string>();
  let reciprocalRank = 0;
  for (const [place, hit] of hits.entries()) {
    const names = [hit.id, ...hit.sources]
      .flatMap((id) => namesOf.get(id) ?? [])
      .filter((it) => wanted.has(it));
    if (names.length > 0 && reciprocalRank === 0) reciprocalRank = 1 / (place + 1);
    for (const it of names) found.add(it);
  }
  return { recall: found.size / Math.min(wanted.size, DEPTH), reciprocalRank };
}

describe('search on 3,509 passages of manuals', () => {
  it('finds at least 70 % of what answers a question among the first ten, and early', async () => {
    const judged: Awaited<ReturnType<typeof judge>>[] = [];
    for (let at = 0; at < queries.length; at += ASKED_AT_ONCE) {
      judged.push(...(await Promise.all(queries.slice(at, at + ASKED_AT_ONCE).map(judge))));
    }
    const mean = (of: 'recall' | 'reciprocalRank') =>
      judged.reduce((sum, it) => sum + it[of], 0) / judged.length;
    // The figures of the README.
    process.stdout.write(
      `recall@10 ${mean('recall').toFixed(4)}, MRR ${mean('reciprocalRank').toFixed(4)}\n`,
    );
    expect(mean('recall')).toBeGreaterThanOrEqual(0.7);
    expect(mean('reciprocalRank')).toBeGreaterThanOrEqual(0.48);
  }, 300_000);
});
