import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PLANS } from '../src/plans/plans.js';
import { type ChunkFilter, type RetrievalMode, type RetrievalPlanName } from '../src/index.js';
import { ClusteredCorpus } from './clustered-corpus.js';
import { type RetrievalFixture } from './retrieval-fixture.js';

const QUERIES = 12;
const LIMIT = 10;
const FILTERS: Record<string, ChunkFilter> = {
  'no filter': {},
  'a rare type': { types: ['rare'] },
  'a type and a time': { types: ['note', 'page'], createdFrom: new Date('2026-01-20') },
  'a filter that nothing passes': { types: ['nothing'] },
};

/** What every plan has to show, each in its modes and with every filter, against exact search. */
export function provePlans(
  plans: readonly RetrievalPlanName[],
  start: () => Promise<RetrievalFixture>,
): void {
  let fixture: RetrievalFixture;
  let corpus: ClusteredCorpus;

  beforeAll(async () => {
    fixture = await start();
    corpus = await ClusteredCorpus.create(fixture);
    const other = await ClusteredCorpus.create(fixture, 400);
    expect(other.workspaceId).not.toBe(corpus.workspaceId);
    await fixture.query('ANALYZE');
  }, 300_000);
  afterAll(() => fixture?.stop());

  /** The share of the exact answer that was found. */
  async function recall(
    plan: RetrievalPlanName,
    mode: RetrievalMode,
    filter: ChunkFilter,
    recallFloor: number,
  ): Promise<number> {
    const vector = corpus.probe();
    const seeds = mode === 'plain' ? [] : [corpus.chunks[700]?.id ?? '', corpus.chunks[3]?.id ?? ''];
    const exact = corpus.exact(vector, { filter, limit: LIMIT, seeds, mode });
    const { hits, explanation } = await fixture.service.query(corpus.workspaceId, {
      ...{ vector, plan, mode, filter, seeds, recallFloor, limit: LIMIT },
    });
    expect(explanation).toMatchObject({ plan, why: 'it was asked for' });
    expect(explanation.status).not.toBe('uncertified');
    expect(explanation.neighbourhood?.truncated ?? false).toBe(false);
    if (explanation.z !== null) expect(explanation.z).toBeGreaterThanOrEqual(explanation.wantedZ ?? 0);
    expect(hits).toHaveLength(exact.length);
    const wanted = new Set(exact.map((it) => it.id));
    const found = hits.filter((it) => wanted.has(it.chunkId));
    for (const it of found) {
      expect(it.score).toBeCloseTo(exact.find(({ id }) => id === it.chunkId)?.score ?? NaN, 5);
    }
    if (explanation.status === 'complete') expect(found).toHaveLength(exact.length);
    return exact.length === 0 ? 1 : found.length / exact.length;
  }

  const cases = plans.flatMap((plan) => PLANS[plan].modes.map((mode) => [plan, mode] as const));

  it.each(cases)('%s keeps the floor in mode %s, with every filter', async (plan, mode) => {
    for (const filter of Object.values(FILTERS)) {
      const found: number[] = [];
      for (let at = 0; at < QUERIES; at++) found.push(await recall(plan, mode, filter, 0.95));
      expect(found.reduce((sum, it) => sum + it, 0) / QUERIES).toBeGreaterThanOrEqual(0.99);
    }
  });

  it.each(cases)('%s is exact in mode %s at a floor of 1', async (plan, mode) => {
    for (const filter of Object.values(FILTERS)) expect(await recall(plan, mode, filter, 1)).toBe(1);
  });

  it.each(cases)('%s answers an empty workspace in mode %s', async (plan, mode) => {
    const empty = await fixture.workspace();
    const query = { vector: corpus.probe(), plan, mode, seeds: [corpus.chunks[0]?.id ?? ''] };
    const answer = fixture.service.query(empty, query);
    // A seed of another workspace is none of this one.
    await expect(answer).rejects.toMatchObject({ code: 'RETRIEVAL_CHUNK_NOT_FOUND' });
    if (mode !== 'plain') return;
    const { hits, explanation } = await fixture.service.query(empty, { ...query, seeds: [] });
    expect(hits).toEqual([]);
    expect(explanation).toMatchObject({ status: 'complete', z: null });
  });
}
