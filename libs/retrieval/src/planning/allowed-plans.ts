import { PLANS } from '../plans/plans.js';
import { RETRIEVAL_PLANS, type RetrievalPlanName } from '../plans/retrieval-plan.js';
import { type PlanFacts, selectivityOf } from './plan-features.js';

/** Below it so few of the nearest pass that looking at all of them first is never worth it. */
const LEAST_SELECTIVITY = 0.001;
/** More neighbours than are compared one and all. */
const MANY_NEIGHBOURS = 5_000;

/** The plan that computes how much to fetch: certain by itself, and slow for no query. */
export function fallbackOf({ isResident }: Pick<PlanFacts, 'isResident'>): RetrievalPlanName {
  return isResident ? 'cached-partial' : 'filtered-vector';
}

/** The plans that may be tried on a query; what is known to go wrong is never explored. */
export function allowedPlans(facts: PlanFacts): RetrievalPlanName[] {
  const { mode, isResident, hasVectorIndex, twoHopSize } = facts;
  const refused: Partial<Record<RetrievalPlanName, boolean>> = {
    'cached-partial': !isResident,
    'vector-index': !hasVectorIndex || selectivityOf(facts) < LEAST_SELECTIVITY,
    'vector-first': selectivityOf(facts) < LEAST_SELECTIVITY,
    'graph-first': twoHopSize > MANY_NEIGHBOURS,
    'hybrid-parallel': twoHopSize > MANY_NEIGHBOURS,
  };
  return RETRIEVAL_PLANS.filter((plan) => PLANS[plan].modes.includes(mode) && !refused[plan]);
}
