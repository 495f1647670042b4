import type { RetrievalAnswer } from '@peregrine/retrieval';

import type { BenchWorld } from '../store/bench-world.ts';
import { LoopProbe } from './loop-probe.ts';
import { queryOf, recallOfAnswer } from './run.ts';

/** One answer as the library chose to give it. */
export interface LiveAnswer {
  readonly index: number;
  readonly plan: RetrievalAnswer['explanation']['plan'];
  readonly wallMs: number;
  readonly recall: number;
}

export interface LiveRun {
  readonly answers: readonly LiveAnswer[];
  /** Milliseconds of each stage that all queries have. */
  readonly stages: Readonly<Record<string, readonly number[]>>;
  /** How often the planner gave which reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Of the event loop, by this process's own work, after the first answers. */
  readonly longestTurnMs: number;
}

/** Answers by code that is not compiled yet. */
const COLD = 20;
const STAGES = ['probe', 'choose'] as const;

/** Asks questions one after the other as clients do: without a plan. Answers are compared afterwards, so that nothing but the library is measured. */
export async function runLive(
  bench: Pick<BenchWorld, 'world' | 'loaded' | 'app'>,
  indexes: readonly number[] = [...bench.world.questions.keys()],
): Promise<LiveRun> {
  const queries = indexes.map((index) => queryOf(bench, index, {}));
  const answers: { answer: RetrievalAnswer; wallMs: number }[] = [];
  let loop = new LoopProbe();
  for (const [at, query] of queries.entries()) {
    if (at === COLD) {
      loop.stop();
      loop = new LoopProbe();
    }
    const startMs = performance.now();
    const answer = await bench.app.service.query(bench.loaded.workspaceId, query);
    answers.push({ answer, wallMs: performance.now() - startMs });
  }
  const longestTurnMs = loop.stop();
  const explained = answers.map((it) => it.answer.explanation);
  return {
    answers: answers.map(({ answer, wallMs }, at) => ({
      ...{ index: indexes[at] ?? 0, plan: answer.explanation.plan, wallMs },
      recall: recallOfAnswer(bench, indexes[at] ?? 0, answer),
    })),
    stages: Object.fromEntries(
      STAGES.map((name) => [
        name,
        explained.flatMap((it) => it.stages.find((stage) => stage.name === name)?.durationMs ?? []),
      ]),
    ),
    reasons: countOf(explained.map((it) => it.reason)),
    longestTurnMs,
  };
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
