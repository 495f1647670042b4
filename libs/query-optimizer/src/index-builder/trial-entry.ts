import { type IndexPlan, placeOf } from './index-plan.js';
import { type Bench } from './index-trial.js';

/**
 * Opens the ledger's entry of a trial.
 *
 * @returns `isSettled` when there is nothing to build: the index was kept before, or somebody else's has its name
 */
export async function beginTrial(
  plan: IndexPlan,
  { ledger, builder }: Pick<Bench, 'ledger' | 'builder'>,
  actor: string,
): Promise<{ readonly id: string; readonly isSettled: boolean }> {
  const standing = await ledger.standing(plan.id);
  const there = await builder.find(placeOf(plan, 'plain'));
  if (standing?.status === 'kept' && there?.isValid) return { id: standing.id, isSettled: true };
  if (!there) return { id: await ledger.begin(plan, actor), isSettled: false };
  // Never "building" then: whoever clears up drops by the name, and this index is somebody else's.
  const decision = `The index ${plan.indexName} was not changed: there is an index ${plan.indexName} already`;
  return { id: await ledger.begin(plan, actor, decision), isSettled: true };
}
