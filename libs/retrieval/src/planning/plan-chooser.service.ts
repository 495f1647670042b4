import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import {
  type PlanDecision,
  type PlanQuestion,
  type PlanReason,
  QueryPlanner,
} from '@peregrine/query-optimizer';
import { RETRIEVAL_PLANS, type RetrievalPlanName } from '../plans/retrieval-plan.js';
import { SampleProbe } from '../probe/sample-probe.service.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { allowedPlans, fallbackOf } from './allowed-plans.js';
import { bucketsOf, featuresOf, type PlanFacts, RETRIEVAL_FEATURES, shapeOf } from './plan-features.js';
import { shippedPrior } from './prior.js';

/** Why a plan was chosen: by the planner, or before it could be asked. */
export type ChoiceReason =
  PlanReason | 'asked' | 'disabled' | 'unknown' | 'repeated' | 'thread-lost' | 'timed-out';

export type RetrievalQuestion = PlanQuestion<RetrievalPlanName>;

export interface PlanChoice {
  readonly plan: RetrievalPlanName;
  readonly reason: ChoiceReason;
  /** Undefined when the planner was not asked. */
  readonly decision?: PlanDecision<RetrievalPlanName>;
}

/** Chooses plans by what they have taken before. Recall does not depend on it. */
@Injectable()
export class PlanChooser implements BeforeApplicationShutdown {
  readonly planner: QueryPlanner<RetrievalPlanName>;
  readonly #isEnabled: boolean;
  #embedder: string | undefined;

  constructor(probe: SampleProbe, @Inject(RETRIEVAL_OPTIONS) { chooser }: RetrievalOptions) {
    const { enabled, prior, ...options } = chooser;
    this.#isEnabled = enabled;
    this.planner = new QueryPlanner({
      ...options,
      name: 'retrieval-planner',
      plans: RETRIEVAL_PLANS,
      features: RETRIEVAL_FEATURES,
      prior: prior === false ? undefined : (prior ?? shippedPrior()),
    });
    probe.onChange((reason) => this.planner.invalidate(reason));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.planner.close();
  }

  question(facts: PlanFacts): RetrievalQuestion {
    return {
      ...{ shape: shapeOf(facts), buckets: bucketsOf(facts), features: featuresOf(facts) },
      ...{ allowed: allowedPlans(facts), fallback: fallbackOf(facts) },
    };
  }

  /** @param question undefined when nothing is known of the query's space yet */
  choose(question: RetrievalQuestion | undefined, isResident: boolean, embedder: string): PlanChoice {
    if (this.#embedder !== undefined && this.#embedder !== embedder) {
      this.planner.invalidate('another embedding model is used');
    }
    this.#embedder = embedder;
    if (!this.#isEnabled) return { plan: fallbackOf({ isResident }), reason: 'disabled' };
    if (!question) return { plan: fallbackOf({ isResident }), reason: 'unknown' };
    const decision = this.planner.decide(question);
    return { plan: decision.plan, reason: decision.reason, decision };
  }
}
