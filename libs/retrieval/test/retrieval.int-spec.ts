import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { CodeThread } from '../src/codes/code-thread.js';
import {
  ChunkStore,
  EdgeStore,
  MAX_RETRIEVAL_HITS,
  RETRIEVAL_MODES,
  type RetrievalQueryInput,
} from '../src/index.js';
import { DIMENSIONS, RetrievalFixture } from './retrieval-fixture.js';

/** A direction of its own for each number. */
const axis = (at: number) => Float32Array.from({ length: DIMENSIONS }, (_, place) => Number(place === at));
/** Between two directions; the nearer to the first, the larger `share`. */
const between = (one: number, other: number, share: number) =>
  axis(one).map((it, at) => share * it + (1 - share) * (axis(other)[at] ?? 0));

describe('retrieval', () => {
  let fixture: RetrievalFixture;

  beforeAll(async () => {
    fixture = await RetrievalFixture.start({ maxNeighbours: 20, keywordReach: 40 });
  }, 120_000);
  afterAll(() => fixture?.stop());

  const failure = (workspaceId: string, query: object) =>
    fixture.service.query(workspaceId, query as RetrievalQueryInput).then(
      () => undefined,
      (error: unknown) => (error as { code?: string }).code,
    );

  describe('a query that cannot be asked', () => {
    let workspace: string;
    beforeAll(async () => {
      workspace = await fixture.workspace();
      await fixture.add(workspace, ['a text']);
    });

    it.each([
      ['has another dimension', { vector: [1, 2, 3] }, 'RETRIEVAL_INVALID_VECTOR'],
      ['is zero', { vector: new Float32Array(DIMENSIONS) }, 'RETRIEVAL_INVALID_VECTOR'],
      ['holds NaN', { vector: Array(DIMENSIONS).fill(NaN) }, 'RETRIEVAL_INVALID_VECTOR'],
      ['filters by what there is not', { text: 'a', filter: { colour: 'red' } }, 'RETRIEVAL_UNKNOWN_FILTER'],
      ['filters by another kind of value', { text: 'a', filter: { types: 'x' } }, 'RETRIEVAL_INVALID_QUERY'],
      ['has neither text nor vector', {}, 'RETRIEVAL_INVALID_QUERY'],
      ['wants too many', { text: 'a', limit: MAX_RETRIEVAL_HITS + 1 }, 'RETRIEVAL_INVALID_QUERY'],
      ['needs seeds', { text: 'a', mode: RETRIEVAL_MODES[1] }, 'RETRIEVAL_INVALID_QUERY'],
      [
        'has a seed that there is not',
        { text: 'a', mode: 'within', seeds: [randomUUID()] },
        'RETRIEVAL_CHUNK_NOT_FOUND',
      ],
      [
        'wants a plan that needs a graph',
        { text: 'a', plan: 'graph-first' },
        'RETRIEVAL_PLAN_NOT_APPLICABLE',
      ],
    ])('says so when it %s', async (_, query, code) => {
      expect(await failure(workspace, query)).toBe(code);
    });
  });

  it('ends with the reason of its caller, who has gone', async () => {
    const workspace = await fixture.workspace();
    const reason = new Error('gone');
    const query = fixture.service.query(workspace, { text: 'a' }, { signal: AbortSignal.abort(reason) });
    await expect(query).rejects.toBe(reason);
  });

  it('names the filters that there are', async () => {
    await expect(
      fixture.service.query(await fixture.workspace(), { text: 'a', filter: { colour: 'red' } }),
    ).rejects.toThrow('There is no filter colour: use types, documentIds, createdFrom, createdBefore');
  });

  it('stores nothing of a document that is not there, or whose embedding is none', async () => {
    const workspace = await fixture.workspace();
    const store = fixture.get(ChunkStore);
    const document = { documentId: randomUUID(), type: 'note', createdAt: new Date(), texts: ['a'] };
    await expect(store.replace(workspace, document)).rejects.toMatchObject({
      code: 'RETRIEVAL_DOCUMENT_NOT_FOUND',
    });
    const elsewhere = { ...document, documentId: await fixture.file(await fixture.workspace()) };
    await expect(store.replace(workspace, elsewhere)).rejects.toMatchObject({
      code: 'RETRIEVAL_DOCUMENT_NOT_FOUND',
    });
    const wrong = fixture.embedder.choose('of another length', new Float32Array(DIMENSIONS - 1));
    const own = { ...document, documentId: await fixture.file(workspace), texts: ['fine', wrong] };
    await expect(store.replace(workspace, own)).rejects.toMatchObject({ code: 'RETRIEVAL_INVALID_VECTOR' });
    const rows = await fixture.query('SELECT 1 FROM retrieval_chunks WHERE workspace_id = $1', [workspace]);
    expect(rows).toEqual([]);
  });

  it('stores and finds a text in which the model sees nothing', async () => {
    const workspace = await fixture.workspace();
    const silent = fixture.embedder.choose('...', new Float32Array(DIMENSIONS));
    const { ids } = await fixture.add(workspace, [fixture.embedder.choose('a word', axis(1)), silent]);
    const { hits, explanation } = await fixture.service.query(workspace, { text: silent, limit: 1 });
    expect(hits).toMatchObject([{ chunkId: ids[1], cosine: expect.closeTo(1) }]);
    expect(explanation.status).toBe('complete');
  });

  it('adds words to nearness, each over the best of the answer', async () => {
    const workspace = await fixture.workspace();
    const texts = ['falcon falcon nest', 'falcon and a long story of other things', 'nothing of the kind'];
    texts.forEach((it, at) => fixture.embedder.choose(it, between(at, 9, 0.5)));
    const { ids } = await fixture.add(workspace, texts);
    const { hits, explanation } = await fixture.service.query(workspace, {
      text: 'a falcon',
      vector: between(2, 9, 0.5),
    });
    expect(hits.map((it) => it.chunkId)).toEqual(ids);
    // Half the direction is shared by all: a cosine of 1/2 beside one of 1.
    expect(hits[0]?.score).toBeCloseTo(1 + 0.3 * 0.5, 5);
    expect(hits[2]).toMatchObject({ keyword: null, text: texts[2], place: 2, proximity: 0 });
    expect(hits[2]?.score).toBeCloseTo(0.3, 5);
    // BM25 by hand: one word, in two of three chunks, of 3 and 5 words.
    const weight = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5));
    const words = hits
      .slice(0, 2)
      .map((it) => it.text.split(' ').filter((word) => !STOP_WORDS.has(word)).length);
    const average = ((words[0] ?? 0) + (words[1] ?? 0)) / 2;
    const bm25 = (times: number, length: number) =>
      (weight * times * 2.2) / (times + 1.2 * (0.25 + (0.75 * length) / average));
    expect(hits[0]?.keyword).toBeCloseTo(bm25(2, words[0] ?? 0), 6);
    expect(hits[1]?.keyword).toBeCloseTo(bm25(1, words[1] ?? 0), 6);
    expect(explanation).toMatchObject({ status: 'complete', keywords: { truncated: false } });
    expect(explanation.stages.map((it) => it.name)).toEqual([
      ...['embed', 'start', 'probe', 'choose', 'filtered-vector', 'certify', 'keywords', 'fuse', 'read'],
    ]);
  });

  it('says when more chunks have the words than are ranked, and takes any text', async () => {
    const workspace = await fixture.workspace();
    await fixture.add(
      workspace,
      Array.from({ length: 50 }, (_, at) => `heron ${at}`),
    );
    const { explanation } = await fixture.service.query(workspace, { text: `heron ' \\ & | ! <-> :*` });
    expect(explanation.keywords).toEqual({ truncated: true });
    expect((await fixture.service.query(workspace, { text: 'the of and' })).hits).not.toEqual([]);
  });

  it('finds by filter and within a walk, by words too', async () => {
    const workspace = await fixture.workspace();
    const note = await fixture.add(workspace, ['otter one', 'otter two']);
    const page = await fixture.add(workspace, ['otter three'], {
      type: 'page',
      createdAt: new Date('2026-03-01'),
    });
    const found = async (query: Omit<RetrievalQueryInput, 'text'>) => {
      const { hits } = await fixture.service.query(workspace, { text: 'otter', ...query });
      return hits.map((it) => it.chunkId).sort();
    };
    expect(await found({ filter: { types: ['page'] } })).toEqual(page.ids);
    expect(await found({ filter: { documentIds: [note.documentId] } })).toEqual(note.ids.toSorted());
    expect(await found({ filter: { createdFrom: new Date('2026-02-01') } })).toEqual(page.ids);
    expect(await found({ filter: { createdBefore: new Date('2026-02-01') } })).toEqual(note.ids.toSorted());
    const [seed = '', other = ''] = note.ids;
    await fixture.get(EdgeStore).link(workspace, [{ from: seed, to: other, type: 'next', weight: 0.5 }]);
    expect(await found({ mode: 'within', seeds: [other] })).toEqual(note.ids.toSorted());
  });

  it('bounds the walk of a hub, takes its heaviest edges, and says so', async () => {
    const workspace = await fixture.workspace();
    const { ids } = await fixture.add(
      workspace,
      Array.from({ length: 101 }, (_, at) => `spoke ${at}`),
    );
    const [hub = '', ...spokes] = ids;
    await fixture.get(EdgeStore).link(
      workspace,
      spokes.map((to, at) => ({ from: hub, to, type: 'link', weight: (at + 1) / 128 })),
    );
    const { hits, explanation } = await fixture.service.query(workspace, {
      ...{ text: 'wheel', mode: 'within', seeds: [hub], limit: MAX_RETRIEVAL_HITS },
    });
    expect(explanation.status).toBe('complete');
    expect(explanation.neighbourhood).toEqual({ expectedSize: 101, size: 21, truncated: true });
    expect(hits.map((it) => it.chunkId).sort()).toEqual([hub, ...spokes.slice(-20)].sort());
    // From a spoke over the hub to the others: known before the walk.
    const far = await fixture.service.query(workspace, {
      ...{ text: 'wheel', mode: 'within', seeds: [spokes[99] ?? ''] },
    });
    expect(far.explanation.neighbourhood?.expectedSize).toBe(101);
    const [edge] = await fixture.query<{ weight: number }>(
      'SELECT weight FROM retrieval_edges WHERE source_id = $1 AND target_id = $2',
      [spokes[99], hub],
    );
    expect(edge?.weight).toBe(100 / 128);
  });

  it('links nothing when an end is elsewhere', async () => {
    const [workspace, other] = [await fixture.workspace(), await fixture.workspace()];
    const [from = ''] = (await fixture.add(workspace, ['here'])).ids;
    const [to = ''] = (await fixture.add(other, ['there'])).ids;
    const linking = fixture.get(EdgeStore).link(workspace, [{ from, to, type: 'link', weight: 1 }]);
    await expect(linking).rejects.toMatchObject({ code: 'RETRIEVAL_CHUNK_NOT_FOUND', chunkIds: [to] });
    expect(await fixture.query('SELECT 1 FROM retrieval_edges WHERE source_id = $1', [from])).toEqual([]);
  });

  it('follows what is written and deleted, also with codes in memory', async () => {
    const workspace = await fixture.workspace();
    const plan = 'cached-partial';
    const found = async () =>
      (await fixture.service.query(workspace, { vector: axis(1), plan })).hits.map((it) => it.chunkId);
    expect(await found()).toEqual([]);
    fixture.embedder.choose('near', axis(1));
    const { documentId, ids } = await fixture.add(workspace, ['near', 'far']);
    expect(await found()).toEqual(ids);
    const store = fixture.get(ChunkStore);
    const again = { documentId, type: 'note', createdAt: new Date(), texts: ['near'] };
    const replaced = await store.replace(workspace, again);
    expect(await found()).toEqual(replaced);
    await fixture.query('DELETE FROM files WHERE id = $1', [documentId]);
    expect(await found()).toEqual([]);
  });

  it('answers from memory once the codes are there, and from PostgreSQL before', async () => {
    const workspace = await fixture.workspace();
    await fixture.add(workspace, ['warm']);
    const plan = async () => (await fixture.service.query(workspace, { vector: axis(1) })).explanation.plan;
    expect(await plan()).toBe('filtered-vector');
    while ((await plan()) !== 'cached-partial');
    await fixture.add(workspace, ['cold']);
    expect(await plan()).toBe('filtered-vector');
  });

  it('gives what it has when the time is up, and says that it is not certain', async () => {
    const workspace = await fixture.workspace();
    // All equally near: no few of them are certain.
    const texts = Array.from({ length: 300 }, (_, at) =>
      fixture.embedder.choose(`direction ${at}`, between(at % 60, 62, 0.9)),
    );
    await fixture.add(workspace, texts);
    const query = { vector: axis(63), plan: 'filtered-vector', recallFloor: 1 } as const;
    const hasty = await fixture.service.query(workspace, { ...query, budgetMs: 1 });
    expect(hasty.hits).toHaveLength(10);
    expect(hasty.explanation).toMatchObject({ status: 'uncertified', wantedZ: null });
    const patient = await fixture.service.query(workspace, query);
    expect(patient.explanation).toMatchObject({ status: 'complete', compared: 300 });
  });

  it('says that a plan was not certain enough, and goes on', async () => {
    const workspace = await fixture.workspace();
    const texts = Array.from({ length: 900 }, (_, at) =>
      fixture.embedder.choose(`ring ${at}`, between(at % 60, 62, 0.9)),
    );
    await fixture.add(workspace, texts);
    const { explanation } = await fixture.service.query(workspace, {
      ...{ vector: axis(63), plan: 'vector-first', recallFloor: 1 },
    });
    expect(explanation).toMatchObject({ escalated: true, status: 'complete', compared: 900 });
  });
});

describe('codes in memory', () => {
  it('are refused when there are too many, and the default plan does without', async () => {
    const fixture = await RetrievalFixture.start({ maxResidentChunks: 2 });
    try {
      const workspace = await fixture.workspace();
      await fixture.add(workspace, ['one', 'two', 'three']);
      const query = { vector: axis(1) };
      await expect(
        fixture.service.query(workspace, { ...query, plan: 'cached-partial' }),
      ).rejects.toMatchObject({ code: 'RETRIEVAL_CODES_TOO_LARGE' });
      const { hits, explanation } = await fixture.service.query(workspace, query);
      expect(hits).toHaveLength(3);
      expect(explanation.plan).toBe('filtered-vector');
    } finally {
      await fixture.stop();
    }
  }, 60_000);

  it('are compared by PostgreSQL when the thread dies, and a plan that was asked for says so', async () => {
    const codeProgram = new URL('./dying-thread.mjs', import.meta.url);
    const fixture = await RetrievalFixture.start({ codeProgram });
    try {
      const workspace = await fixture.workspace();
      // So many that a thread is asked.
      await fixture.add(
        workspace,
        Array.from({ length: 2_001 }, (_, at) => `passage ${at}`),
      );
      const query = { vector: axis(1) };
      await expect(
        fixture.service.query(workspace, { ...query, plan: 'cached-partial' }),
      ).rejects.toMatchObject({ code: 'RETRIEVAL_CODE_THREAD_LOST' });
      // The codes are in memory now, so that this is the default plan.
      const { hits, explanation } = await fixture.service.query(workspace, query);
      expect(hits).toHaveLength(10);
      expect(explanation).toMatchObject({
        ...{ plan: 'filtered-vector', why: 'a thread was lost (RETRIEVAL_CODE_THREAD_LOST)' },
        status: 'certified',
      });
    } finally {
      await fixture.stop();
    }
  }, 60_000);

  it('are compared by the next thread after one was lost', async () => {
    const thread = new CodeThread(new URL('./code-thread.mjs', import.meta.url));
    const scan = { codes: new Uint32Array(24), probe: new Uint32Array(12), maxDistance: 384, limit: 5 };
    try {
      const lost = thread.scan(scan);
      await Promise.all([
        expect(lost).rejects.toMatchObject({ code: 'RETRIEVAL_CODE_THREAD_LOST' }),
        thread.close(),
      ]);
      expect([...(await thread.scan(scan)).places]).toEqual([0, 1]);
    } finally {
      await thread.close();
    }
  });
});

/** Of the texts above. */
const STOP_WORDS = new Set(['and', 'a', 'of', 'other']);
