import { randomUUID } from 'node:crypto';
import { ChunkStore, type RetrievalAnswer } from '@peregrine/retrieval';

import { seededRandom } from '../../harness/random.ts';
import { type BenchWorld, type StoredWorld, withLibrary } from '../store/bench-world.ts';
import { loadWorld } from '../store/load-world.ts';
import type { RetrievalInput } from '../store/application.ts';
import { normal } from '../world/draw.ts';
import { DIMENSIONS, FIRST_DAY } from '../world/shape.ts';
import { firstChunks, type World } from '../world/world.ts';
import { LoopProbe } from './loop-probe.ts';
import { queryOf, recallOfAnswer } from './run.ts';

export const CALLERS = 16;
export const WRITERS = 2;
export const TEXTS_OF_A_WRITE = 5;
const TWINS = 2_000;

/** What a caller got. */
interface Answered {
  readonly index: number;
  readonly wallMs: number;
  readonly answer: RetrievalAnswer;
}

/** What all callers saw. */
export interface Seen {
  readonly recalls: readonly number[];
  readonly wallMs: readonly number[];
  /** Hits of another workspace. */
  readonly foreign: number;
  readonly writes: number;
  readonly longestTurnMs: number;
}

/**
 * Callers ask all questions while writers put passages in the place of each other, far from every question: what is right does not change, and
 * each write makes what is in memory worthless. Another workspace has the first chunks with the same vectors.
 */
export async function callBesideWriters(stored: StoredWorld, options: RetrievalInput = {}): Promise<Seen> {
  await loadWorld(stored.pool, await twinOf(stored.world), stored.loaded.embedder);
  const embedder = { id: stored.loaded.embedder, dimensions: DIMENSIONS, embed: embedFarAway };
  return withLibrary(stored, { ...options, embedder, poolMax: 8 }, callAndWrite);
}

async function callAndWrite(library: BenchWorld): Promise<Seen> {
  const documents = await Promise.all(Array.from({ length: WRITERS }, () => addDocument(library)));
  const asked = library.world.questions.keys();
  let writes = 0;
  let isOver = false;
  const loop = new LoopProbe();
  const writers = documents.map(async (documentId) => {
    for (; !isOver; writes++) await write(library, documentId);
  });
  const answered = await Promise.all(Array.from({ length: CALLERS }, () => call(library, asked)));
  isOver = true;
  await Promise.all(writers);
  const longestTurnMs = loop.stop();
  return { ...compare(library, answered.flat(), new Set(documents)), writes, longestTurnMs };
}

async function call(library: BenchWorld, asked: Iterator<number>): Promise<Answered[]> {
  const { app, loaded } = library;
  const answered: Answered[] = [];
  for (let next = asked.next(); !next.done; next = asked.next()) {
    const query = queryOf(library, next.value, {});
    const startMs = performance.now();
    const answer = await app.service.query(loaded.workspaceId, query);
    answered.push({ index: next.value, wallMs: performance.now() - startMs, answer });
  }
  return answered;
}

/** Afterwards, so that nothing but the library holds the event loop up. */
function compare(
  library: BenchWorld,
  answered: readonly Answered[],
  written: ReadonlySet<string>,
): Pick<Seen, 'recalls' | 'wallMs' | 'foreign'> {
  const { places } = library.loaded;
  const hits = answered.flatMap((it) => it.answer.hits);
  return {
    recalls: answered.map(({ index, answer }) => recallOfAnswer(library, index, answer)),
    wallMs: answered.map((it) => it.wallMs),
    foreign: hits.filter((it) => !places.has(it.chunkId) && !written.has(it.documentId)).length,
  };
}

async function addDocument({ pool, loaded }: BenchWorld): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
     VALUES ($1::uuid, $2, $1::text, 'written', 'text/markdown', 1, '', 'extracted') RETURNING id`,
    [randomUUID(), loaded.workspaceId],
  );
  return rows[0]?.id ?? '';
}

async function write({ app, loaded }: BenchWorld, documentId: string): Promise<void> {
  const texts = Array.from({ length: TEXTS_OF_A_WRITE }, () => randomUUID());
  // Of a type and a day that no filter asks for.
  const document = { documentId, type: 'written', createdAt: new Date(FIRST_DAY - 86_400_000), texts };
  await app.get(ChunkStore).replace(loaded.workspaceId, document);
}

/** Directions without a cluster: no question is near to them. */
function embedFarAway(texts: readonly string[]): Promise<Float32Array[]> {
  const random = seededRandom(texts.length);
  return Promise.resolve(texts.map(() => Float32Array.from({ length: DIMENSIONS }, () => normal(random))));
}

/** The first chunks under other ids. */
async function twinOf(world: World): Promise<World> {
  const twin = await firstChunks(world, Math.min(TWINS, world.ids.length));
  return { ...twin, ids: twin.ids.map(() => randomUUID()) };
}
