import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Platform } from './support/platform.js';

/** Of the embedder that is built in. */
const DIMENSIONS = 384;

let platform: Platform;
let workspaceId: string;
beforeAll(async () => {
  platform = await Platform.start({ workers: 0 });
  workspaceId = await platform.createWorkspace();
}, 120_000);
afterAll(() => platform?.stop());

const query = (body: object, key = platform.apiKey) =>
  platform.request('POST', '/retrieval/query', { body: { workspaceId, ...body }, key });

describe('a question that cannot be answered', () => {
  it.each<[string, object, number, string]>([
    ['a vector of other dimensions', { vector: [1, 2, 3] }, 400, 'RETRIEVAL_INVALID_VECTOR'],
    ['no vector at all', { vector: [] }, 400, 'RETRIEVAL_INVALID_VECTOR'],
    ['a vector of zeros', { vector: Array(DIMENSIONS).fill(0) }, 400, 'RETRIEVAL_INVALID_VECTOR'],
    [
      'a NaN, which JSON has as null',
      { vector: Array(DIMENSIONS).fill(NaN) },
      400,
      'RETRIEVAL_INVALID_VECTOR',
    ],
    ['an unknown filter', { text: 'a', filter: { colour: 'red' } }, 400, 'RETRIEVAL_UNKNOWN_FILTER'],
    ['neither text nor vector', {}, 400, 'RETRIEVAL_INVALID_QUERY'],
    ['a walk from nowhere', { text: 'a', mode: 'within' }, 400, 'RETRIEVAL_INVALID_QUERY'],
    [
      'a seed that there is not',
      { text: 'a', mode: 'boost', seeds: [randomUUID()] },
      404,
      'RETRIEVAL_CHUNK_NOT_FOUND',
    ],
    ['a plan that needs a walk', { text: 'a', plan: 'graph-first' }, 400, 'RETRIEVAL_PLAN_NOT_APPLICABLE'],
    [
      'a plan that needs an index of pgvector',
      { text: 'a', plan: 'vector-index' },
      422,
      'RETRIEVAL_VECTOR_INDEX_MISSING',
    ],
    ['a plan that there is not', { text: 'a', plan: 'oracle' }, 400, 'VALIDATION_FAILED'],
    ['a floor above one', { text: 'a', recallFloor: 1.01 }, 400, 'VALIDATION_FAILED'],
    ['no time', { text: 'a', budgetMs: 0 }, 400, 'VALIDATION_FAILED'],
    ['too many', { text: 'a', limit: 101 }, 400, 'VALIDATION_FAILED'],
    ['a NUL character', { text: 'a\0b' }, 400, 'VALIDATION_FAILED'],
    ['a day that is none', { text: 'a', filter: { createdFrom: '2026-02-30' } }, 400, 'VALIDATION_FAILED'],
    ['a misspelled field', { text: 'a', recalFloor: 0.9 }, 400, 'VALIDATION_FAILED'],
  ])('is refused for %s', async (_, body, status, code) => {
    const answer = await query(body);
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('says which filters there are', async () => {
    const { body } = await query({ text: 'a', filter: { colour: 'red' } });
    expect(body.detail).toBe('There is no filter colour: use types, documentIds, createdFrom, createdBefore');
  });

  it('is refused without its scope, and for a workspace that its key does not see', async () => {
    const without = await platform.createKey(['memories:read']);
    expect(await query({ text: 'a' }, without)).toMatchObject({ status: 403 });
    const stranger = await platform.createKey(['content:read']);
    expect(await query({ text: 'a' }, stranger)).toMatchObject({
      ...{ status: 404, body: { code: 'CONTENT_WORKSPACE_NOT_FOUND' } },
    });
    const nowhere = { body: { text: 'a' } };
    expect(await platform.request('POST', '/retrieval/query', nowhere)).toMatchObject({
      ...{ status: 400, body: { errors: [{ field: 'workspaceId' }] } },
    });
  });

  it('has no passages of a file that there is not', async () => {
    const path = `/retrieval/documents/${randomUUID()}/chunks?workspaceId=${workspaceId}`;
    expect(await platform.request('GET', path)).toMatchObject({
      ...{ status: 404, body: { code: 'RETRIEVAL_DOCUMENT_NOT_FOUND' } },
    });
  });
});

describe('an empty workspace', () => {
  it.each([
    ['a floor of one', { recallFloor: 1 }],
    ['one millisecond', { budgetMs: 1 }],
    ['any filter', { filter: { types: ['x'], createdFrom: '2026-01-01T00:00:00Z' } }],
    ['codes in memory', { plan: 'cached-partial' }],
  ])('answers with nothing, which is complete: %s', async (_, body) => {
    const answer = await query({ text: 'a', ...body });
    expect(answer).toMatchObject({
      ...{ status: 200, body: { hits: [], certificate: { z: null } } },
    });
    if (!('budgetMs' in body)) expect(answer.body.certificate.status).toBe('complete');
  });
});

describe('the description', () => {
  it('has examples of questions and answers', async () => {
    const { paths, components } = (await platform.request('GET', '/docs-json')).body;
    const own = Object.keys(paths).filter((it) => it.includes('/retrieval/'));
    expect(own.toSorted()).toEqual(
      ['documents/{documentId}/chunks', 'explain', 'planner', 'query'].map((it) => `/api/v1/retrieval/${it}`),
    );
    expect(components.schemas.RetrievalQuery.example).toMatchObject({ limit: 5 });
    expect(components.schemas.RetrievalAnswer.example.certificate.status).toBe('certified');
  });
});
