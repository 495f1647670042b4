import { type Cache } from '@peregrine/cache';
import { type MetricSource } from '@peregrine/metrics';

/**
 * The share of reads that the cache answered in the last five minutes, under the name that the alerts know. All
 * namespaces together; `cache_hit_ratio` has them apart. Without reads there is no figure, so that nobody is paged by an
 * idle process.
 */
export function cacheHitRate(cache: Pick<Cache, 'stats'>): MetricSource {
  return {
    name: 'cache-hit-rate',
    collect: () => {
      const value = cache.stats().recent.fiveMinutes;
      return [
        {
          name: 'ai_cache_hit_rate',
          help: 'Share of cache reads that were answered in the last five minutes, 0 to 1',
          type: 'gauge',
          samples: value === null ? [] : [{ value }],
        },
      ];
    },
  };
}
