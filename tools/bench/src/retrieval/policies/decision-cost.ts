import type { QueryPlanner } from '@peregrine/query-optimizer';
import type { RetrievalPlanName } from '@peregrine/retrieval';

import { quantile } from '../../harness/statistics.ts';
import type { Row } from '../measure/matrix.ts';
import { questionOf } from './learning.ts';

/** Microseconds. */
interface Times {
  readonly p50: number;
  readonly p95: number;
}

export interface DecisionCost {
  readonly freshUs: Times;
  readonly cachedUs: Times;
}

/** Enough that the compiler is done with it, and that a clock's step does not matter. */
const ROUNDS = 20;
const AT_ONCE = 50;

/** What a decision takes, with nothing remembered and with all of it. Ends the planner. */
export async function measureDecisions(
  planner: QueryPlanner<RetrievalPlanName>,
  rows: readonly Row[],
): Promise<DecisionCost> {
  const questions = rows.map(questionOf);
  let kind = 0;
  const fresh = () => questions.map((it) => ({ ...it, buckets: [...it.buckets, kind++] }));
  const freshUs = timesOf(fresh, (it) => planner.decide(it));
  const cachedUs = timesOf(
    () => questions,
    (it) => planner.decide(it),
  );
  await planner.close();
  return { freshUs, cachedUs };
}

/** The first round is not counted. */
function timesOf<T>(items: () => readonly T[], work: (item: T) => unknown): Times {
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const asked = items();
    for (let at = 0; at + AT_ONCE <= asked.length; at += AT_ONCE) {
      const startMs = performance.now();
      for (let n = at; n < at + AT_ONCE; n++) work(asked[n]!);
      if (round > 0) times.push((1_000 * (performance.now() - startMs)) / AT_ONCE);
    }
  }
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}
