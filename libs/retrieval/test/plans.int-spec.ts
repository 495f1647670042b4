import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RETRIEVAL_PLANS, VectorIndex } from '../src/index.js';
import { ClusteredCorpus } from './clustered-corpus.js';
import { provePlans } from './plan-contract.js';
import { RetrievalFixture } from './retrieval-fixture.js';

describe('every plan that needs no extension', () => {
  provePlans(
    RETRIEVAL_PLANS.filter((it) => it !== 'vector-index'),
    () => RetrievalFixture.start({ maxNeighbours: 50_000 }),
  );
});

describe('a server without pgvector', () => {
  let fixture: RetrievalFixture;
  let corpus: ClusteredCorpus;
  beforeAll(async () => {
    fixture = await RetrievalFixture.start();
    corpus = await ClusteredCorpus.create(fixture);
    await fixture.query('ANALYZE');
  }, 120_000);
  afterAll(() => fixture?.stop());

  it('says that the index is missing when its plan is asked for, or it is to be made', async () => {
    const code = 'RETRIEVAL_VECTOR_INDEX_MISSING';
    const query = { vector: corpus.probe(), plan: 'vector-index' as const };
    await expect(fixture.service.query(corpus.workspaceId, query)).rejects.toMatchObject({ code });
    await expect(fixture.get(VectorIndex).create()).rejects.toMatchObject({ code });
  });

  it('compares a part of the embeddings only', async () => {
    const vector = corpus.chunks[5]?.vector ?? corpus.probe();
    const { explanation } = await fixture.service.query(corpus.workspaceId, { vector, limit: 1 });
    expect(explanation.status).toBe('certified');
    expect(explanation.compared).toBeLessThan(corpus.chunks.length / 2);
  });
});
