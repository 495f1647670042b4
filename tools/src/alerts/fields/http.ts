import type { Alert } from '../alert.ts';

// Probes and scrapes are not what users ask for; readiness answers 503 on purpose.
const USERS = 'route!~"/metrics|/health/.*"';

export const HTTP_ALERTS: readonly Alert[] = [
  {
    name: 'ErrorRateHigh',
    field: 'http',
    severity: 'critical',
    forMinutes: 5,
    windowMinutes: 5,
    expression: `sum by (job) (rate(http_requests_total{status="5xx",${USERS}}[$window]))
  / sum by (job) (rate(http_requests_total{${USERS}}[$window])) > 0.05
and sum by (job) (increase(http_requests_total{${USERS}}[$window])) >= 50`,
    summary: '{{ $labels.job }} fails {{ $value | humanizePercentage }} of its requests',
    description: 'More than 5 % of the answers of the last minutes are 5xx.',
  },
  {
    name: 'RequestLatencyHigh',
    field: 'http',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: `histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket{${USERS}}[$window]))) > 0.5
and sum by (job) (increase(http_request_duration_seconds_count{${USERS}}[$window])) >= 50`,
    summary: 'One request in twenty to {{ $labels.job }} takes longer than {{ $value | humanizeDuration }}',
    description:
      'The 95th percentile of all requests is above 500 ms, from which on a request is logged as slow.',
  },
];
