import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** A day: a large table takes its time, and so does a round that is under way. */
const TIMEOUT_MS = 86_400_000;

const payload = z.strictObject({
  /** Of the recommendation. */
  recommendation: z.string(),
  actor: z.strictObject({ id: z.uuid(), name: z.string() }),
});

const common = {
  payload,
  priority: 'HIGH' as const,
  attempts: 5,
  backoff: { type: 'exponential' as const, delayMs: 2_000, jitter: 0.5 },
  timeoutMs: TIMEOUT_MS,
};

/** Builds an index that was recommended, measures, and keeps or drops it. */
export const applyRecommendation = defineTask({ name: 'indexes.apply', ...common });

/** Drops an index that was built on a recommendation. */
export const revertRecommendation = defineTask({ name: 'indexes.revert', ...common });

/** What operators have done to indexes. */
export const indexChangeTasks = [applyRecommendation, revertRecommendation] as const;

export const INDEX_CHANGES = { apply: applyRecommendation, revert: revertRecommendation } as const;
export type IndexChange = keyof typeof INDEX_CHANGES;

/** As the audit names a recommendation. */
export const subjectOf = (recommendation: string) => `index-recommendation/${recommendation}`;
export const actionOf = (change: IndexChange) => `index.${change}`;
