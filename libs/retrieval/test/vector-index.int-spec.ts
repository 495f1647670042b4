import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { VectorIndex } from '../src/index.js';
import { ClusteredCorpus } from './clustered-corpus.js';
import { createPgliteDatabase } from './pglite-database.js';
import { provePlans } from './plan-contract.js';
import { RetrievalFixture } from './retrieval-fixture.js';

async function start(): Promise<RetrievalFixture> {
  const fixture = await RetrievalFixture.on(await createPgliteDatabase(), { maxNeighbours: 50_000 });
  await fixture.get(VectorIndex).create();
  return fixture;
}

describe('the plan by an index of pgvector', () => {
  provePlans(['vector-index'], start);
});

describe('an index of pgvector', () => {
  let fixture: RetrievalFixture;
  let corpus: ClusteredCorpus;
  beforeAll(async () => {
    fixture = await RetrievalFixture.on(await createPgliteDatabase());
    corpus = await ClusteredCorpus.create(fixture, 400);
  }, 120_000);
  afterAll(() => fixture?.stop());

  const indexed = async () =>
    (await fixture.query<{ count: number }>('SELECT count(*)::integer AS count FROM retrieval_hnsw'))[0]
      ?.count;

  it('holds what there was, what is added later, and nothing that has gone', async () => {
    const index = fixture.get(VectorIndex);
    expect(await index.isThere()).toBe(false);
    await index.create();
    expect(await index.isThere()).toBe(true);
    expect(await indexed()).toBe(corpus.chunks.length);
    const { documentId } = await fixture.add(corpus.workspaceId, ['another']);
    expect(await indexed()).toBe(corpus.chunks.length + 1);
    await fixture.query('DELETE FROM files WHERE id = $1', [documentId]);
    await index.create();
    expect(await indexed()).toBe(corpus.chunks.length);
  });

  it('gives the nearest of one workspace that pass', async () => {
    const other = await fixture.workspace();
    const vector = corpus.probe();
    const nearest = (workspaceId: string, filter = {}) =>
      fixture.get(VectorIndex).nearest(fixture.get(DataSource), {
        space: { workspaceId, embedder: fixture.embedder.id },
        ...{ vector, filter, count: 50 },
      });
    const exact = corpus.exact(vector, { limit: 50 }).map((it) => it.id);
    const found = await nearest(corpus.workspaceId);
    expect(found).toHaveLength(50);
    expect(found.filter((it) => exact.includes(it)).length).toBeGreaterThanOrEqual(45);
    expect(await nearest(other)).toEqual([]);
    const rare = new Set(corpus.chunks.filter((it) => it.type === 'rare').map((it) => it.id));
    for (const it of await nearest(corpus.workspaceId, { types: ['rare'] })) expect(rare).toContain(it);
  });

  it('may lack chunks: the codes find them', async () => {
    await fixture.query('DELETE FROM retrieval_hnsw WHERE hashtext(chunk_id::text) % 2 = 0');
    const vector = corpus.probe();
    const { hits, explanation } = await fixture.service.query(corpus.workspaceId, {
      ...{ vector, limit: 10, plan: 'vector-index' },
    });
    expect(explanation.status).not.toBe('uncertified');
    expect(hits.map((it) => it.chunkId)).toEqual(corpus.exact(vector, { limit: 10 }).map((it) => it.id));
  });
});
