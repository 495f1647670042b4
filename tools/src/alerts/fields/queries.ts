import type { Alert } from '../alert.ts';

export const QUERY_ALERTS: readonly Alert[] = [
  {
    name: 'QueryLatencyHigh',
    field: 'queries',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: `histogram_quantile(0.95, sum by (job, le) (rate(db_query_latency_bucket[$window]))) > 0.2
and sum by (job) (increase(db_query_latency_count[$window])) >= 100`,
    summary: 'One statement in twenty of {{ $labels.job }} takes longer than {{ $value | humanizeDuration }}',
    description: 'The 95th percentile of what PostgreSQL was asked is above 200 ms.',
  },
  {
    name: 'PoolSaturated',
    field: 'queries',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: `sum by (job, instance) (db_pool_connections{state="in use"})
  / sum by (job, instance) (db_pool_capacity) > 0.9
and sum by (job, instance) (db_pool_waiting) > 0`,
    summary:
      '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its connections, and callers wait',
    description: 'The pool is full all the time: what comes next is refused requests (PoolRefusing).',
  },
  {
    name: 'PoolRefusing',
    field: 'queries',
    severity: 'critical',
    forMinutes: 1,
    windowMinutes: 5,
    expression: `sum by (job, instance) (increase(db_pool_timeouts_total[$window]))
  + sum by (job, instance) (increase(db_pool_refused_total[$window])) > 5`,
    summary: '{{ $labels.instance }} gave no connection to {{ $value | humanize }} callers',
    description: 'Callers waited for a connection to PostgreSQL in vain; over HTTP they are answered 503.',
  },
  {
    name: 'DatabaseDown',
    field: 'queries',
    severity: 'critical',
    forMinutes: 1,
    windowMinutes: 5,
    expression: 'health_check_up{check="database"} == 0',
    summary: '{{ $labels.instance }} does not reach PostgreSQL',
    description: 'The check of the database fails: what is not cached is answered 503, tasks wait.',
  },
];
