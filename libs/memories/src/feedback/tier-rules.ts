import { type MemoryTier } from '../memory.js';

/** When a use moves a memory up. */
export interface PromotionRule {
  readonly from: MemoryTier;
  readonly to: MemoryTier;
  /** Uses at least, the adding included. */
  readonly uses: number;
  /** From the first use to this one at least, hours. */
  readonly spanHours: number;
  readonly source: string;
}

/** When disuse moves a memory down. */
export interface DemotionRule {
  readonly from: MemoryTier;
  readonly to: MemoryTier;
  /** Since the last use, hours. */
  readonly unusedHours: number;
  readonly source: string;
}

/**
 * Uses that are spread over days count, a burst of one hour does not: the spacing effect, for which Pavlik and Anderson
 * (2005, doi.org/10.1207/s15516709cog0000_14) give every use of ACT-R a decay of its own. The numbers are ours.
 */
const SPACING = 'spaced uses last longer: Pavlik and Anderson 2005, doi.org/10.1207/s15516709cog0000_14';
/**
 * What is left of a memory after t days is exp(-t / S) with a strength S that every recall raises (MemoryBank,
 * arXiv 2305.10250). With S of 10 and of 40 days a tenth is left after 23 and after 92.
 */
const FORGETTING = 'exp(-t / S) below 0.1 with S of 10 and of 40 days: MemoryBank, arXiv 2305.10250';

export const PROMOTION_RULES: readonly PromotionRule[] = [
  { from: 'active', to: 'thread', uses: 3, spanHours: 24, source: SPACING },
  { from: 'thread', to: 'stable', uses: 8, spanHours: 7 * 24, source: SPACING },
];

/** A memory that falls becomes active again: the tier of what has yet to show that it is needed. */
export const DEMOTION_RULES: readonly DemotionRule[] = [
  { from: 'thread', to: 'active', unusedHours: 23 * 24, source: FORGETTING },
  { from: 'stable', to: 'thread', unusedHours: 92 * 24, source: FORGETTING },
];

/** What promotes in SQL: an expression of `tier`, `uses` and the two times, all as they are after the use. */
export function promotedTier(tier: string, uses: string, firstUsedAt: string, usedAt: string): string {
  const cases = PROMOTION_RULES.map(
    (it) =>
      `WHEN ${tier} = '${it.from}' AND ${uses} >= ${it.uses} ` +
      `AND ${usedAt} >= ${firstUsedAt} + interval '${it.spanHours} hours' THEN '${it.to}'`,
  );
  return `CASE ${cases.join(' ')} ELSE ${tier} END`;
}
