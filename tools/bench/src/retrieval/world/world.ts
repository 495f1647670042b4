import { seededRandom } from '../../harness/random.ts';
import { type Chunks, makeChunks } from './chunks.ts';
import type { ExactAnswer, ExactTask } from './exact.ts';
import { type Graph, makeGraph } from './graph.ts';
import { makeQuestions, type Question } from './questions.ts';
import type { WorldShape } from './shape.ts';
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
  const questions = makeQuestions(shape, chunks, graph, random);
  const exact = await answersOf({ chunks, graph }, questions);
  return { shape, ids, chunks, graph, questions, exact };
}

/** What is right, by threads. */
export function answersOf(
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
