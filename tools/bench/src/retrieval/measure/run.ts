import type { RetrievalAnswer, RetrievalPlanName } from '@peregrine/retrieval';

import type { BenchWorld } from '../store/bench-world.ts';
import { filterOf } from '../store/load-world.ts';
import { recallOf } from '../world/exact.ts';
import { FLOOR, LIMIT } from '../world/shape.ts';
import type { CpuMeter } from './cpu-meter.ts';

/** One answer: what it cost, and what it was worth. */
export interface Run {
  readonly plan: RetrievalPlanName;
  readonly wallMs: number;
  /** Of the library and of the server; NaN where the system does not tell. */
  readonly cpuMs: number;
  readonly recall: number;
  /** What the answer said of itself; infinite when it was complete, or had fewer hits than were asked for. */
  readonly z: number;
  readonly status: RetrievalAnswer['explanation']['status'];
  readonly compared: number;
  readonly stages: RetrievalAnswer['explanation']['stages'];
}

/** How a question is asked: by a plan, or as the library chooses. */
export interface Manner {
  readonly plan?: RetrievalPlanName;
  /** @default the floor of the bench */
  readonly recallFloor?: number;
  readonly budgetMs?: number;
}

/** @param index of the question */
export async function runQuestion(
  { world, loaded, app }: Pick<BenchWorld, 'world' | 'loaded' | 'app'>,
  meter: CpuMeter,
  index: number,
  manner: Manner,
): Promise<Run> {
  const question = world.questions[index];
  const exact = world.exact[index];
  if (!question || !exact) throw new RangeError(`There is no question ${index}`);
  const query = {
    ...{ vector: question.vector, mode: question.mode, filter: filterOf(question, loaded), limit: LIMIT },
    seeds: question.seeds.map((it) => world.ids[it] ?? ''),
    ...{ recallFloor: FLOOR, ...manner },
  };
  const { result, wallMs, cpuMs } = await meter.measure(() => app.service.query(loaded.workspaceId, query));
  const { hits, explanation } = result;
  // A chunk that is not of this world is no place, so that it counts as missing.
  const found = hits.flatMap(({ chunkId }) => loaded.places.get(chunkId) ?? []);
  return {
    ...{ plan: explanation.plan, wallMs, cpuMs, status: explanation.status },
    recall: recallOf(world.chunks, world.graph, question, exact, found),
    z: explanation.z ?? (explanation.status === 'uncertified' ? -Infinity : Infinity),
    ...{ compared: explanation.compared, stages: explanation.stages },
  };
}
