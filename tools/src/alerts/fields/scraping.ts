import type { Alert } from '../alert.ts';

/**
 * Every process shows these from its start, with or without traffic. Missing, the alerts that are made of them could not
 * fire, whatever happens.
 */
export const EXPECTED_METRICS = [
  'http_requests_in_flight',
  'db_query_latency_count',
  'db_pool_connections',
  'db_pool_capacity',
  'db_pool_waiting',
  'cache_hits_total',
  'cache_misses_total',
  'async_queue_size',
  'task_wait_seconds_count',
  'task_promised_wait_missed_total',
  'health_check_up',
  'memory_used_ratio',
  'memory_pressure_level',
  'nodejs_eventloop_lag_p99_seconds',
  'process_open_fds',
] as const;

const anyMissing = EXPECTED_METRICS.map(
  (metric) => `label_replace(absent(${metric}{job=~"api|worker"}), "metric", "${metric}", "", "")`,
).join('\nor ');

export const SCRAPING_ALERTS: readonly Alert[] = [
  {
    name: 'TargetDown',
    field: 'scraping',
    severity: 'critical',
    forMinutes: 2,
    windowMinutes: 5,
    expression: 'up{job=~"api|worker"} == 0',
    summary: '{{ $labels.job }} {{ $labels.instance }} does not answer',
    description: 'Prometheus cannot read its metrics: the process is gone, hangs, or is cut off.',
  },
  {
    name: 'TargetMissing',
    field: 'scraping',
    severity: 'critical',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'absent(up{job="api"}) or absent(up{job="worker"})',
    summary: 'Prometheus knows no {{ $labels.job }}',
    description: 'There is none, or it is no longer found: no other alert can fire for it.',
  },
  {
    name: 'MetricsMissing',
    field: 'scraping',
    severity: 'critical',
    forMinutes: 10,
    windowMinutes: 5,
    // Without a process that answers, TargetDown says enough.
    expression: `(${anyMissing})\nand on () count(up{job=~"api|worker"} == 1) > 0`,
    summary: 'Nobody shows {{ $labels.metric }}',
    description:
      'Alerts are made of this metric. While it is missing they are silent, and silence is no sign of health.',
  },
  {
    name: 'MetricsSourceFailing',
    field: 'scraping',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'sum by (job, source) (increase(metrics_source_errors_total[$window])) > 0',
    summary: 'The figures of {{ $labels.source }} in {{ $labels.job }} cannot be collected',
    description: 'They are left out of /metrics; the log names the reason.',
  },
];
