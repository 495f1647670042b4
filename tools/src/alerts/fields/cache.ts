import type { Alert } from '../alert.ts';

export const CACHE_ALERTS: readonly Alert[] = [
  {
    name: 'CacheHitRateLow',
    field: 'cache',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    // Every read asks memory first, so what memory saw is all reads; a hit of any tier is a hit.
    expression: `sum by (job) (rate(cache_hits_total[$window]))
  / (sum by (job) (rate(cache_hits_total{tier="memory"}[$window])) + sum by (job) (rate(cache_misses_total{tier="memory"}[$window]))) < 0.5
and sum by (job) (increase(cache_hits_total{tier="memory"}[$window]))
  + sum by (job) (increase(cache_misses_total{tier="memory"}[$window])) >= 200`,
    summary: 'The cache of {{ $labels.job }} answers only {{ $value | humanizePercentage }} of its reads',
    description: 'Less than half of the reads are hits: PostgreSQL and the storage do the work.',
  },
  {
    name: 'CacheRedisDown',
    field: 'cache',
    severity: 'warning',
    forMinutes: 2,
    windowMinutes: 5,
    expression: 'cache_redis_available == 0',
    summary: 'The cache of {{ $labels.instance }} works without Redis',
    description:
      'Answers stay right, each process loads for itself, and what another process changed shows after CACHE_MEMORY_TTL_MS at the latest.',
  },
  {
    name: 'CacheInvalidationsHeldUp',
    field: 'cache',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'cache_pending_invalidations > 0',
    summary: '{{ $value }} invalidations of {{ $labels.instance }} have waited for Redis for minutes',
    description:
      'Other processes may answer with what is no longer true, until they are told or CACHE_MEMORY_TTL_MS is over.',
  },
];
