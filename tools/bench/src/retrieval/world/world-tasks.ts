import type { Chunks } from './chunks.ts';
import { answerExactly, type ExactAnswer, type ExactTask } from './exact.ts';
import type { Graph } from './graph.ts';
import { fillVectors, type VectorTask } from './vectors.ts';

/** What threads do for a world. */
export type WorldTask = VectorTask | ExactTask;

/** What all tasks read, or write where nobody else does. */
export interface WorldColumns {
  readonly chunks: Chunks;
  readonly graph: Omit<Graph, 'popular'>;
}

export function runWorldTask({ chunks, graph }: WorldColumns, task: WorldTask): readonly ExactAnswer[] {
  if (task.kind === 'exact') return task.questions.map((it) => answerExactly(chunks, graph, it));
  fillVectors(chunks, task);
  return [];
}
