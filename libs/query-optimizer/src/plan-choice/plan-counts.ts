import { PLAN_REASONS, type PlanReason } from './plan-question.js';

export interface PlanCount {
  readonly plan: string;
  readonly reason: PlanReason;
  readonly count: number;
}

/** Decisions by plan and reason. */
export class PlanCounts {
  readonly #plans = new Map<string, Record<PlanReason, number>>();

  add(plan: string, reason: PlanReason): void {
    let counts = this.#plans.get(plan);
    if (!counts) {
      counts = { fallback: 0, gain: 0, exploration: 0, 'out-of-domain': 0, untrained: 0 };
      this.#plans.set(plan, counts);
    }
    counts[reason]++;
  }

  /** Those that happened. */
  report(): PlanCount[] {
    return [...this.#plans].flatMap(([plan, counts]) =>
      PLAN_REASONS.filter((reason) => counts[reason] > 0).map((reason) => ({
        plan,
        reason,
        count: counts[reason],
      })),
    );
  }
}
