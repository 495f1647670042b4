import type { PlannerModel } from '@peregrine/query-optimizer';

import { seededRandom } from '../../harness/random.ts';
import type { Row } from '../measure/matrix.ts';
import { pick } from '../world/draw.ts';
import { makePlanner, questionOf } from './learning.ts';

/** The questions in the order in which they came, and what each took. */
export interface OnlineRun {
  readonly order: readonly number[];
  readonly costMs: readonly number[];
}

/**
 * A planner that learns from nothing but what it has chosen, by times that were measured before: one repetition of the plan, drawn by lot. A plan
 * that is given up costs its timeout and the fallback.
 */
export async function learnOnline(
  rows: readonly Row[],
  prior: PlannerModel | undefined,
  seed: number,
): Promise<OnlineRun> {
  const random = seededRandom(seed);
  const order = shuffled(rows.length, random);
  const planner = makePlanner(seed, { prior });
  const costMs: number[] = [];
  for (const index of order) {
    const row = rows[index]!;
    const decision = planner.decide(questionOf(row));
    const timeOf = (plan: typeof decision.plan) => pick(row.runs[plan] ?? [], random).wallMs;
    const takenMs = timeOf(decision.plan);
    const limitMs = decision.timeoutMs ?? Infinity;
    const timedOut = takenMs > limitMs;
    planner.record(decision, { durationMs: Math.min(takenMs, limitMs), timedOut });
    costMs.push(timedOut ? limitMs + timeOf(decision.fallback) : takenMs);
    // In a service there is time between queries.
    await planner.trained();
  }
  await planner.close();
  return { order, costMs };
}

function shuffled(count: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, index) => ({ index, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map((it) => it.index);
}
