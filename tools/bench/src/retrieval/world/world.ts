import { seededRandom } from '../../harness/random.ts';
import { type Chunks, makeChunks } from './chunks.ts';
import type { ExactAnswer, ExactTask } from './exact.ts';
import { normal } from './draw.ts';
import { firstLinks, type Graph, makeGraph } from './graph.ts';
import { makeQuestions, type Question } from './questions.ts';
import { sharedBytes, sharedFloats } from './shared.ts';
import { CODE_BYTES, DIMENSIONS, type WorldShape } from './shape.ts';
import { runWorldTasks } from './threads.ts';
import { VECTORS_AT_ONCE, type VectorTask } from './vectors.ts';

/** Chunks, their graph, what is asked of them, and what is right: the same for the same shape. */
export interface World {
  readonly shape: WorldShape;
  readonly ids: readonly string[];
  readonly chunks: Chunks;
  readonly graph: Graph;
  readonly questions: readonly Question[];
  readonly exact: readonly ExactAnswer[];
}

const QUESTIONS_AT_ONCE = 10;

export async function makeWorld(shape: WorldShape): Promise<World> {
  const random = seededRandom(shape.seed);
  const ids = Array.from({ length: shape.chunks }, () => uuid(random));
  const chunks = makeChunks(shape, random);
  const graph = makeGraph(chunks, ids, random);
  await runWorldTasks({ chunks, graph: columnsOf(graph) }, vectorTasks(shape));
  return { shape, ids, chunks, graph, ...(await askAnew(shape, chunks, graph)) };
}

/** The first chunks of a world, with the links between them, and questions of its own. */
export async function firstChunks(world: World, count: number): Promise<World> {
  const shape = { ...world.shape, chunks: count };
  const ids = world.ids.slice(0, count);
  const { cluster, type, day, document, vectors, codes, ...clusters } = world.chunks;
  const chunks = {
    ...clusters,
    ...{ cluster: cluster.subarray(0, count), type: type.subarray(0, count), day: day.subarray(0, count) },
    document: document.subarray(0, count),
    vectors: vectors.subarray(0, count * DIMENSIONS),
    codes: codes.subarray(0, count * CODE_BYTES),
  };
  const graph = firstLinks(world.graph, count);
  return { shape, ids, chunks, graph, ...(await askAnew(shape, chunks, graph)) };
}

/** The same chunks by another embedding model: other vectors, codes and questions. */
export async function reembed(world: World, seed: number): Promise<World> {
  const random = seededRandom(seed);
  const { chunks, graph } = world;
  const other: Chunks = {
    ...chunks,
    centres: sharedFloats(chunks.centres.length).map(() => normal(random)),
    vectors: sharedFloats(chunks.vectors.length),
    codes: sharedBytes(chunks.codes.length),
  };
  const shape = { ...world.shape, seed };
  await runWorldTasks({ chunks: other, graph: columnsOf(graph) }, vectorTasks(shape));
  return { ...world, shape, chunks: other, ...(await askAnew(shape, other, graph)) };
}

async function askAnew(
  shape: WorldShape,
  chunks: Chunks,
  graph: Graph,
): Promise<Pick<World, 'questions' | 'exact'>> {
  const questions = makeQuestions(shape, chunks, graph, seededRandom(shape.seed + 1));
  return { questions, exact: await answersOf({ chunks, graph }, questions) };
}

/** What is right, by threads. */
function answersOf(
  { chunks, graph }: Pick<World, 'chunks' | 'graph'>,
  questions: readonly Question[],
): Promise<ExactAnswer[]> {
  const tasks = inParts(questions.length, QUESTIONS_AT_ONCE).map(({ from, to }): ExactTask => ({
    kind: 'exact',
    questions: questions.slice(from, to),
  }));
  return runWorldTasks({ chunks, graph: columnsOf(graph) }, tasks);
}

function vectorTasks({ seed, chunks }: WorldShape): VectorTask[] {
  return inParts(chunks, VECTORS_AT_ONCE).map((it) => ({ kind: 'vectors', seed, ...it }));
}

function inParts(length: number, size: number): { from: number; to: number }[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, at) => ({
    from: at * size,
    to: Math.min(length, (at + 1) * size),
  }));
}

function columnsOf({ starts, targets, weights }: Graph): Omit<Graph, 'popular'> {
  return { starts, targets, weights };
}

/** A random one (version 4), but always the same. */
function uuid(random: () => number): string {
  const word = () =>
    Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  const [a, b, c, d] = [word(), word(), word(), word()];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${d}`;
}
