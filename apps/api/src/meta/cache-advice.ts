import { type CacheStatistics, type CacheSummary } from '@peregrine/cache';

export interface CacheAdvice {
  status: 'healthy' | 'warming' | 'warning' | 'critical';
  /** One sentence that says what to do, if anything. */
  recommendation: string;
}

const GOOD_HIT_RATE = 0.85;
const POOR_HIT_RATE = 0.5;
const FULL_PCT = 90;
const TOO_FEW_READS = 100;

/** What the figures of the cache mean for the person who looks at them. */
export function adviseOnCache(summary: CacheSummary, { namespaces, redis }: CacheStatistics): CacheAdvice {
  if (redis.configured && !redis.available) {
    const reason = redis.lastError === null ? '' : ` (${redis.lastError.code})`;
    return {
      status: 'warning',
      recommendation: `The cache works without Redis, which does not answer${reason}: bring it back.`,
    };
  }
  const reads = Object.values(namespaces).reduce((sum, it) => sum + it.reads, 0);
  const percent = `${(summary.cacheHitRate * 100).toFixed(1)} %`;
  if (reads < TOO_FEW_READS) {
    return { status: 'warming', recommendation: 'Too few reads yet to judge by.' };
  }
  const full = summary.utilizationPct >= FULL_PCT;
  if (summary.cacheHitRate < POOR_HIT_RATE) {
    return {
      status: 'critical',
      recommendation: full
        ? `Only ${percent} of reads hit and the memory is full: raise CACHE_MEMORY_BYTES.`
        : `Only ${percent} of reads hit: look for keys that never repeat, times to live that are too short, or writes that invalidate too much.`,
    };
  }
  if (summary.cacheHitRate < GOOD_HIT_RATE) {
    return {
      status: 'warning',
      recommendation: full
        ? `${percent} of reads hit and the memory is full: raise CACHE_MEMORY_BYTES.`
        : `${percent} of reads hit; 85 % is usual once the cache is warm.`,
    };
  }
  return { status: 'healthy', recommendation: `${percent} of reads hit; nothing to do.` };
}
