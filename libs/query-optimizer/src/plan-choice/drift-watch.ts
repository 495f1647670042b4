import { type Change, Cusum, CUSUM_THRESHOLD } from './cusum.js';

/** Of one plan. */
export interface PlanDrift {
  /** An alarm at `threshold`. In deviations of the model's usual error. */
  readonly value: number;
  readonly threshold: number;
  readonly alarms: number;
  /** Does not run but by exploration, until a model knows better. */
  readonly isSuspended: boolean;
  readonly lastAlarm: {
    /** ISO 8601. */
    readonly at: string;
    /** How many times as long it takes now. */
    readonly factor: number;
    readonly action: string;
  } | null;
}

const ACTION =
  'plans forgotten, older samples moved and trusted less, training begun, fallback until it is done';

/** Notices plans that take another time than the model says, and suspends them. */
export class DriftWatch {
  readonly #plans: { readonly cusum: Cusum; alarms: number; last: PlanDrift['lastAlarm'] }[];
  #suspended = 0;

  constructor(
    planCount: number,
    private readonly now: () => number,
  ) {
    this.#plans = Array.from({ length: planCount }, () => ({ cusum: new Cusum(), alarms: 0, last: null }));
  }

  /** One bit a plan. */
  get suspended(): number {
    return this.#suspended;
  }

  /** @param error logarithm of actual to predicted @param spread its usual deviation @returns a change, when it is noticed */
  observe(plan: number, error: number, spread: number): Change | undefined {
    const watched = this.#plans[plan];
    // Of a suspended plan it is known already.
    if (!watched || (this.#suspended >>> plan) & 1) return undefined;
    const change = watched.cusum.add(error, spread);
    if (!change) return undefined;
    watched.alarms++;
    watched.last = {
      at: new Date(this.now()).toISOString(),
      factor: Math.exp(change.shift),
      action: ACTION,
    };
    this.#suspended |= 1 << plan;
    return change;
  }

  /** Another model is in use. What speaks against plans that run seldom goes on to add up. */
  resume(): void {
    this.#suspended = 0;
  }

  report(): PlanDrift[] {
    return this.#plans.map(({ cusum, alarms, last }, plan) => ({
      value: cusum.value,
      threshold: CUSUM_THRESHOLD,
      alarms,
      isSuspended: ((this.#suspended >>> plan) & 1) === 1,
      lastAlarm: last,
    }));
  }
}
