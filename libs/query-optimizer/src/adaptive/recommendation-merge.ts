import { type Advice, type Recommendation } from '../advisor/advice.js';
import { parseIndexPlan } from '../index-builder/index-plan.js';
import { type WorkloadItem } from './database-workload.js';
import { type RecommendationFigures } from './recommendation-store.js';
import { type ServedQuery, type StoredRecommendation } from './stored-recommendation.js';

/** Twice as large as when it was dropped: another table, as far as an index is concerned. */
const GROWTH = 2;
const DAY_MS = 86_400_000;

export interface RestLimits {
  readonly retryAfterDays: number;
  readonly retryFailedMs: number;
}

/** What becomes of a recommendation that a round makes: a row like new, or nothing, as it rests. */
export type Merge =
  { readonly action: 'open'; readonly decision: string | null } | { readonly action: 'leave' };

/**
 * What was measured and did not stay is left alone for a time: the measurement would be the same. Not when something else is asked
 * for by now: a statement that it was not measured with, or a table that has grown.
 *
 * @param now milliseconds since 1970, by the clock that wrote `decidedAt`
 */
export function mergeInto(
  known: StoredRecommendation | undefined,
  made: RecommendationFigures,
  limits: RestLimits,
  now: number,
): Merge {
  if (known === undefined || known.state === 'obsolete') return { action: 'open', decision: null };
  const { state, decision, decidedAt } = known;
  if (state === 'open') return { action: 'open', decision };
  const restedMs = now - (decidedAt?.getTime() ?? 0);
  if (state === 'failed')
    return restedMs < limits.retryFailedMs
      ? { action: 'leave' }
      : { action: 'open', decision: again(decision) };
  if (state !== 'dropped' && state !== 'reverted') return { action: 'leave' };
  const change = changeSince(known, made);
  if (change !== null) return { action: 'open', decision: `${change}. ${again(decision)}` };
  return restedMs < limits.retryAfterDays * DAY_MS
    ? { action: 'leave' }
    : { action: 'open', decision: again(decision) };
}

const again = (decision: string | null) => `Will be tried again. The last time: ${decision ?? 'not known'}`;

function changeSince(known: StoredRecommendation, made: RecommendationFigures): string | null {
  const before = new Set(known.serves.map((it) => it.statement));
  const added = made.serves.filter((it) => !before.has(it.statement)).length;
  if (added > 0) return `The workload changed: it is for ${added} more statements`;
  if (made.sizeBytes >= GROWTH * known.sizeBytes) return 'The workload changed: its table has grown';
  return null;
}

/** What is stored of the advice, the most useful first. */
export function figuresOf(
  { recommendations }: Advice,
  workload: readonly WorkloadItem[],
): readonly RecommendationFigures[] {
  const items = new Map(workload.map((it) => [it.id, it]));
  return recommendations.map((it) => ({
    ...{ id: it.id, plan: parseIndexPlan(it), statement: it.statement, reasons: it.reasons },
    ...{ improvement: it.improvement, sizeBytes: it.sizeBytes, buildMsEstimate: it.buildMsEstimate },
    ...{ writeCost: it.writeCost, serves: servedBy(it, items) },
  }));
}

function servedBy({ serves }: Recommendation, items: ReadonlyMap<string, WorkloadItem>): ServedQuery[] {
  return serves.map(({ statement, before, after }) => {
    const { sql = statement, calls = 0, totalMs = 0 } = items.get(statement) ?? {};
    return { statement, sql, calls, totalMs, before, after };
  });
}
