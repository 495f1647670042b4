import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { ChunkStore, RETRIEVAL_PLANS, type RetrievalPlanName } from '../src/index.js';
import { PLANS } from '../src/plans/plans.js';
import { cosine } from './clustered-corpus.js';
import { RetrievalFixture, DIMENSIONS } from './retrieval-fixture.js';
import { randomNumbers } from './random-numbers.js';

const CALLERS = 16;
const QUERIES_EACH = 12;
const WRITES = 25;
const FILES = 12;
const CHUNKS_PER_FILE = 60;
const LIMIT = 10;
const PLANS_HERE = RETRIEVAL_PLANS.filter(
  (plan) => PLANS[plan].modes.includes('plain') && plan !== 'vector-index',
);

type Vectors = ReadonlyMap<string, Float32Array>;

/** What a workspace holds, as it was after each write: the chunks of each file replace each other. */
class History {
  readonly states: Vectors[] = [];
  readonly #files = new Map<string, Vectors>();

  write(documentId: string, chunks: Vectors): void {
    this.#files.set(documentId, chunks);
    this.states.push(new Map([...this.#files.values()].flatMap((it) => [...it])));
  }
}

describe('16 callers beside writers', () => {
  let fixture: RetrievalFixture;
  const { uniform } = randomNumbers(23);
  const vector = () => Float32Array.from({ length: DIMENSIONS }, () => uniform() - 0.5);

  beforeAll(async () => {
    fixture = await RetrievalFixture.start({ sampleMaxAgeMs: 0 });
  }, 120_000);
  afterAll(() => fixture?.stop());

  let texts = 0;
  async function replace(workspaceId: string, documentId: string): Promise<Vectors> {
    const vectors = Array.from({ length: CHUNKS_PER_FILE }, vector);
    const document = {
      ...{ documentId, type: 'note', createdAt: new Date('2026-01-01') },
      texts: vectors.map((it) => fixture.embedder.choose(`text ${texts++}`, it)),
    };
    const ids = await fixture.get(ChunkStore).replace(workspaceId, document);
    return new Map(ids.map((id, at) => [id, vectors[at] ?? vector()]));
  }

  async function workspaceOf(history: History): Promise<{ id: string; files: string[] }> {
    const id = await fixture.workspace();
    const files: string[] = [];
    for (let at = 0; at < FILES; at++) {
      const file = await fixture.file(id);
      files.push(file);
      history.write(file, await replace(id, file));
    }
    return { id, files };
  }

  it('keep the floor against a version that they could have seen, and never see another workspace', async () => {
    const histories = [new History(), new History()] as const;
    const workspaces = await Promise.all(histories.map((it) => workspaceOf(it)));
    let isWriting = true;
    const writing = Promise.all(
      workspaces.map(async ({ id, files }, which) => {
        for (let at = 0; at < WRITES; at++) {
          const file = files[at % files.length] ?? '';
          histories[which]?.write(file, await replace(id, file));
        }
      }),
    ).finally(() => (isWriting = false));

    const recalls: number[] = [];
    const plansSeen = new Set<string>();
    const call = async (caller: number) => {
      for (let at = 0; at < QUERIES_EACH || isWriting; at++) {
        const which = (caller + at) % 2;
        const history = histories[which];
        const { id } = workspaces[which] ?? { id: '' };
        // One of the states from the last that was known before to the first that is known after, or the one that is just being written.
        const first = (history?.states.length ?? 1) - 1;
        const query = { vector: vector(), limit: LIMIT, plan: planOf(caller + at) };
        const { hits, explanation } = await fixture.service.query(id, query);
        const next = history?.states.length ?? 0;
        plansSeen.add(explanation.plan);
        expect(explanation.status).not.toBe('uncertified');
        const found = new Set(hits.map((it) => it.chunkId));
        // What is written while it is asked is known when it was written.
        await until(() => !isWriting || (history?.states.length ?? 0) > next);
        const states = history?.states.slice(first, next + 1) ?? [];
        recalls.push(Math.max(...states.map((it) => recallOf(it, query.vector, found))));
        for (const chunk of found) {
          expect(histories[1 - which]?.states.some((it) => it.has(chunk))).toBe(false);
        }
      }
    };
    await Promise.all([writing, ...Array.from({ length: CALLERS }, (_, caller) => call(caller))]);

    expect(recalls.length).toBeGreaterThanOrEqual(CALLERS * QUERIES_EACH);
    expect(plansSeen.size).toBeGreaterThanOrEqual(PLANS_HERE.length);
    expect(recalls.filter((it) => it < 0.95).length / recalls.length).toBeLessThanOrEqual(0.0135);
  }, 300_000);

  function planOf(at: number): RetrievalPlanName | undefined {
    return PLANS_HERE[at % (PLANS_HERE.length + 1)];
  }
});

function recallOf(state: Vectors, query: Float32Array, found: ReadonlySet<string>): number {
  const exact = [...state]
    .map(([id, vector]) => ({ id, score: cosine(query, vector) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, LIMIT);
  return exact.filter((it) => found.has(it.id)).length / exact.length;
}
