import {
  type PlannerModel,
  type PlanQuestion,
  QueryPlanner,
  type QueryPlannerOptions,
} from '@peregrine/query-optimizer';
import { RETRIEVAL_FEATURES, RETRIEVAL_PLANS, type RetrievalPlanName } from '@peregrine/retrieval';

import { seededRandom } from '../../harness/random.ts';
import type { Row } from '../measure/matrix.ts';
import { DEFAULT_PLAN, type Policy } from './judge.ts';
import { plansOf } from './rules.ts';

type Planner = QueryPlanner<RetrievalPlanName>;
type Question = PlanQuestion<RetrievalPlanName>;
type Options = Partial<QueryPlannerOptions<RetrievalPlanName>>;

/** As the library makes it, but for what is given; draws the same lots each time. */
export function makePlanner(seed: number, options: Options): Planner {
  return new QueryPlanner({
    ...{ plans: RETRIEVAL_PLANS, features: RETRIEVAL_FEATURES, random: seededRandom(seed) },
    ...options,
  });
}

/** What the planner is asked about a question: as things stand in memory when the default plan answers all of them, of the plans that were timed. */
export function questionOf(row: Row): Question {
  const question = row.runs[DEFAULT_PLAN]?.[0]?.question;
  if (!question) throw new RangeError('The library did not say what its planner is asked');
  return { ...question, allowed: question.allowed.filter((plan) => row.runs[plan]) };
}

/** One time of each plan that may run, noise included, as a planner would see it. */
function lessonsOf(rows: readonly Row[]): { question: Question; durationMs: number }[] {
  return rows.flatMap((row) =>
    plansOf(row).flatMap((plan) => {
      const run = row.runs[plan]?.[0];
      if (!run?.question?.allowed.includes(plan)) return [];
      // It decides for what it is told about: there is no other choice.
      return [{ question: { ...run.question, allowed: [plan], fallback: plan }, durationMs: run.wallMs }];
    }),
  );
}

/** A planner that has seen all plans answer these questions, and does not explore. */
export async function taughtPlanner(
  rows: readonly Row[],
  prior: PlannerModel | undefined,
  seed: number,
): Promise<Planner> {
  const lessons = lessonsOf(rows);
  const count = Math.max(100, lessons.length);
  const planner = makePlanner(seed, {
    ...{ prior, regretBudget: 0, keepSamples: count, retrainEvery: count },
    // All of them are of today.
    halfLife: 1_000 * count,
  });
  for (const { question, durationMs } of lessons) planner.record(planner.decide(question), { durationMs });
  await planner.trained();
  return planner;
}

/** What is to be known before the first question; undefined without rows to learn from. */
export async function learnPrior(rows: readonly Row[], seed: number): Promise<PlannerModel | undefined> {
  if (rows.length === 0) return undefined;
  const planner = await taughtPlanner(rows, undefined, seed);
  await planner.close();
  return planner.model();
}

/** The planner's choices for one half of the questions, taught on the other half. */
export async function learnedPolicy(
  rows: readonly Row[],
  prior: PlannerModel | undefined,
  seed: number,
): Promise<Policy> {
  const plans = new Map<Row, RetrievalPlanName>();
  for (const [learned, judged] of halves(rows)) {
    const planner = await taughtPlanner(learned, prior, seed);
    for (const row of judged) plans.set(row, planner.decide(questionOf(row)).plan);
    await planner.close();
  }
  return (row) => plans.get(row) ?? DEFAULT_PLAN;
}

/** Both ways to learn from one half and to be judged on the other. */
export function halves<T>(rows: readonly T[]): [learned: T[], judged: T[]][] {
  const even = rows.filter((_, index) => index % 2 === 0);
  const odd = rows.filter((_, index) => index % 2 === 1);
  return [
    [even, odd],
    [odd, even],
  ];
}
