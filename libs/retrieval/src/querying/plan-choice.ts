import { type RetrievalPlanName } from '../plans/retrieval-plan.js';
import { type RetrievalQuery } from './retrieval-query.js';

/** Up to as many neighbours are compared one and all. */
const FEW_NEIGHBOURS = 500;

export interface PlanChoice {
  readonly plan: RetrievalPlanName;
  readonly why: string;
}

/**
 * The plan of a query: the one that was asked for, or else the one that computes how much to fetch. Recall does not depend on it.
 *
 * @param expectedSize of the seeds' neighbourhood
 */
export function choosePlan(
  { plan, mode }: RetrievalQuery,
  { expectedSize, isResident }: { readonly expectedSize: number; readonly isResident: boolean },
): PlanChoice {
  if (plan) return { plan, why: 'it was asked for' };
  if (mode === 'within' && expectedSize <= FEW_NEIGHBOURS) {
    return { plan: 'graph-first', why: 'the seeds reach so few chunks that all are compared' };
  }
  return isResident
    ? { plan: 'cached-partial', why: 'the codes of the workspace are in memory' }
    : { plan: 'filtered-vector', why: 'the codes of the workspace are not in memory, or out of date' };
}
