import { type MemoryUse } from '../memory.js';

/** Of ACT-R: how fast a use fades. */
const DECAY = 0.5;
/** Retrieval threshold and noise of ACT-R's logistic: about a day after a single use the chance is one half. */
const THRESHOLD = -6;
const NOISE = 1;
const HOUR_SECONDS = 3_600;

/**
 * How present a memory is: ACT-R's base level, the logarithm of the sum over all uses of (seconds since it) ^ -0.5, in
 * constant space. The latest uses count exactly and the older ones as if spread evenly from the first on (Petrov 2006,
 * "Computationally efficient approximation of the base-level learning equation in ACT-R", ICCM). A use counts by the hour,
 * so that what was added a minute apart is equally present.
 */
export function baseLevel({ uses, firstUsedAt, recentUses }: MemoryUse, now: Date): number {
  const since = (at: Date) => Math.max((now.getTime() - at.getTime()) / 1_000, HOUR_SECONDS);
  let sum = 0;
  for (const at of recentUses) sum += since(at) ** -DECAY;
  const older = uses - recentUses.length;
  const oldestRecent = recentUses.at(-1);
  if (older > 0 && oldestRecent) {
    const first = since(firstUsedAt);
    const last = since(oldestRecent);
    sum +=
      first > last
        ? (older * (first ** (1 - DECAY) - last ** (1 - DECAY))) / ((1 - DECAY) * (first - last))
        : older * last ** -DECAY;
  }
  return Math.log(Math.max(sum, Number.MIN_VALUE));
}

/** The chance that a memory with this base level comes to mind, 0 to 1. */
export function resonance(activation: number): number {
  return 1 / (1 + Math.exp((THRESHOLD - activation) / NOISE));
}

/** How new a memory is, 1 for now, halved every 30 days. */
export function recency(createdAt: Date, now: Date): number {
  const days = Math.max(0, now.getTime() - createdAt.getTime() - HOUR_SECONDS * 1_000) / 86_400_000;
  return 0.5 ** (days / 30);
}
