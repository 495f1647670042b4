import { type RetrievalFigures, type RetrievalPlanFigures } from '@peregrine/console';
import { type PlannerReport } from '@peregrine/query-optimizer';
import { type CalibrationFigures, type PlanChooser, type RetrievalCalibration } from '@peregrine/retrieval';

/** Of fewer answers a ratio says nothing. */
const FEWEST_RUNS = 20;

/** What the choice of plans has learned, and how certain answers have to be. */
export function retrievalFigures(
  { isEnabled, planner }: PlanChooser,
  { embedder, calibration }: ReturnType<RetrievalCalibration['report']>,
): RetrievalFigures {
  const report = planner.report();
  const { cache, training, exploration, regret, decisions } = report;
  const asked = cache.hits + cache.misses;
  const [last] = training.latest;
  return {
    isLearning: isEnabled,
    decisions: decisions.reduce((sum, { count }) => sum + count, 0),
    planCacheHitRatio: asked === 0 ? null : cache.hits / asked,
    modelVersion: training.modelVersion,
    trainings: Object.values(training.rounds).reduce((sum, it) => sum + it, 0),
    lastTraining: last ? `${last.outcome}: ${last.why}` : null,
    exploration: { spentMs: exploration.hour.spentMs, budgetMs: exploration.hour.allowedMs },
    plans: planFigures(report),
    regret: regret.blocks.map(({ at, runs, actualMs, fallbackMs, regretMs, explored }) => ({
      ...{ at, queries: runs, regretMs, explored },
      fallbackRegretMs: fallbackMs === null ? regretMs : Math.max(0, fallbackMs - (actualMs - regretMs)),
    })),
    calibration: [{ embedder, ...calibrationOf(calibration) }],
  };
}

function planFigures({ decisions, calibration, drift }: PlannerReport): RetrievalPlanFigures[] {
  return Object.entries(calibration).map(([name, { runs, meanLogRatio, withinFactor2 }]) => {
    const chosen = decisions.filter(({ plan }) => plan === name);
    const isKnown = runs >= FEWEST_RUNS;
    return {
      name,
      chosen: sumOf(chosen),
      explored: sumOf(chosen.filter(({ reason }) => reason === 'exploration')),
      actualToPredicted: isKnown && meanLogRatio !== null ? Math.exp(meanLogRatio) : null,
      withinFactorTwo: isKnown ? withinFactor2 : null,
      hasDrifted: drift[name]?.isSuspended === true,
    };
  });
}

function sumOf(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

function calibrationOf({ z, from, samples, failures }: CalibrationFigures['calibration']) {
  return { z, samples, failures, isLearned: from !== 'option' };
}
