import { BRIEF_TABLE_COUNT } from './advisor-session.js';
import { type CandidatePool } from './candidate-pool.js';
import { type PlannedWorkload } from './planned-workload.js';
import { type Target } from './index-set.js';

/** The statements of a workload for the search, the heaviest first. */
export function targetsOf(planned: PlannedWorkload, pool: CandidatePool): readonly Target[] {
  const perCost = planned.weightOfCost;
  const targets = planned.statements.map((it): Target => {
    const { given, id } = it.statement;
    const baseCost = Math.max(0.01, it.plan['Total Cost']);
    const { text, parameterCount } = it.text;
    return {
      id,
      subject: {
        text: { text, parameterCount },
        baseCost,
        isPlannedBriefly: it.uses.length >= BRIEF_TABLE_COUNT,
        tables: it.tables,
      },
      weight: given.totalMs > 0 ? given.totalMs / baseCost : Math.max(1, given.calls) * perCost,
      candidates: pool.of(it),
    };
  });
  return targets.toSorted((a, b) => b.weight * b.subject.baseCost - a.weight * a.subject.baseCost);
}
