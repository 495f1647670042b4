import { seededRandom } from '../src/plan-choice/seeded-random.js';
import { QueryPlanner } from '../src/plan-choice/query-planner.js';
import { type QueryPlannerOptions } from '../src/plan-choice/query-planner.options.js';
import { type PlanDecision } from '../src/plan-choice/plan-question.js';

export const WORLD_PLANS = ['steady', 'split', 'steep'] as const;
export type WorldPlan = (typeof WORLD_PLANS)[number];
export const WORLD_FEATURES = ['place', 'size', 'height', 'load'] as const;
/** Of the logarithm: what no model can know. */
export const NOISE = 0.3;

/** The thread's program, from the sources. */
export const trainingProgram = new URL('./training-program.mjs', import.meta.url);

/** What a plan takes at the median, milliseconds. */
export type Durations = (plan: WorldPlan, features: readonly number[], query: number) => number;

/** `steady` is never the best by much, the two others are much better in one half of the queries and much worse in the other. */
export const durations: Durations = (plan, [place = 0, , height = 0, load = 0]) => {
  if (plan === 'steady') return 20 * (1 + load);
  return plan === 'split' ? (place > 0.5 ? 5 : 80) : height > 0.5 ? 10 : 35;
};

/** What came of some queries. Means, milliseconds. */
export interface Stretch {
  readonly actualMs: number;
  readonly bestMs: number;
  readonly fallbackMs: number;
}

/** Queries, their plans and what they take: the same for the same seed. */
export class PlanWorld {
  readonly planner: QueryPlanner<WorldPlan>;
  readonly decisions: PlanDecision<WorldPlan>[] = [];
  readonly #random: () => number;
  durations: Durations = durations;

  constructor(seed: number, options: Partial<QueryPlannerOptions<WorldPlan>> = {}) {
    this.#random = seededRandom(seed);
    this.planner = new QueryPlanner({
      plans: WORLD_PLANS,
      features: WORLD_FEATURES,
      random: seededRandom(seed + 1_000),
      program: trainingProgram,
      // The same hour, whenever it runs.
      now: () => 0,
      ...options,
    });
  }

  /** Waits for each training, so that it is the same at each run. */
  async run(count: number, allowed: readonly WorldPlan[] = WORLD_PLANS): Promise<Stretch> {
    let [actual, best, fallback] = [0, 0, 0];
    for (let query = 0; query < count; query++) {
      const features = WORLD_FEATURES.map(() => this.#random());
      const of = (plan: WorldPlan) => this.durations(plan, features, this.decisions.length);
      actual += this.#ask(features, allowed, of);
      best += Math.min(...allowed.map(of));
      fallback += of('steady');
      await this.planner.trained();
    }
    return { actualMs: actual / count, bestMs: best / count, fallbackMs: fallback / count };
  }

  /** @returns all that it took, with a fallback where the plan was given up */
  #ask(features: readonly number[], allowed: readonly WorldPlan[], of: (plan: WorldPlan) => number): number {
    const buckets = features.map((it) => Math.floor(it * 4));
    const decision = this.planner.decide({ shape: 'plain', buckets, features, allowed, fallback: 'steady' });
    this.decisions.push(decision);
    const { timeoutMs = Infinity } = decision;
    const ms = of(decision.plan) * Math.exp(NOISE * this.#normal());
    const timedOut = ms > timeoutMs;
    this.planner.record(decision, { durationMs: Math.min(ms, timeoutMs), timedOut });
    return timedOut ? timeoutMs + of('steady') : ms;
  }

  /** Box and Muller. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}
