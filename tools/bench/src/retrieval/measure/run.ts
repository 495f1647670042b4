import type {
  PlannerAnswer,
  RetrievalAnswer,
  RetrievalPlanName,
  RetrievalQueryInput,
} from '@peregrine/retrieval';

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
  /** What the planner is asked, or would have been when a plan is asked for. */
  readonly question: PlannerAnswer | null;
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
  bench: Pick<BenchWorld, 'world' | 'loaded' | 'app'>,
  meter: CpuMeter,
  index: number,
  manner: Manner,
): Promise<Run> {
  const { app, loaded } = bench;
  const query = queryOf(bench, index, manner);
  const { result, wallMs, cpuMs } = await meter.measure(() => app.service.query(loaded.workspaceId, query));
  const { explanation } = result;
  return {
    ...{ plan: explanation.plan, wallMs, cpuMs, status: explanation.status },
    recall: recallOfAnswer(bench, index, result),
    z: explanation.z ?? (explanation.status === 'uncertified' ? -Infinity : Infinity),
    ...{ compared: explanation.compared, stages: explanation.stages, question: explanation.chooser },
  };
}

/** A question of the world as the library is asked. */
export function queryOf(
  { world, loaded }: Pick<BenchWorld, 'world' | 'loaded'>,
  index: number,
  manner: Manner,
): RetrievalQueryInput {
  const { vector, mode, filter, seeds } = world.questions[index]!;
  return {
    ...{ vector, mode, filter: filterOf(filter, loaded), limit: LIMIT, recallFloor: FLOOR },
    seeds: seeds.map((it) => world.ids[it] ?? ''),
    ...manner,
  };
}

/** A chunk that is not of this world is no place, so that it counts as missing. */
export function recallOfAnswer(
  { world, loaded }: Pick<BenchWorld, 'world' | 'loaded'>,
  index: number,
  { hits }: RetrievalAnswer,
): number {
  const found = hits.flatMap(({ chunkId }) => loaded.places.get(chunkId) ?? []);
  return recallOf(world.chunks, world.graph, world.questions[index]!, world.exact[index]!, found);
}
