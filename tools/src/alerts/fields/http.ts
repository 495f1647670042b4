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
  {
    name: 'RequestsShed',
    field: 'http',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'sum by (job) (rate(protection_concurrency_shed_total[$window])) > 1',
    summary: '{{ $labels.job }} refuses {{ $value | humanize }} requests a second because it is overloaded',
    description:
      'More requests come than the processes can serve at once; the least urgent are answered 503.',
  },
  {
    name: 'RateLimitStoreDown',
    field: 'http',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'protection_rate_store_up == 0',
    summary: '{{ $labels.instance }} holds the rate limits alone',
    description:
      'No request fails, but each process grants the whole rate, so a caller gets as many times more.',
  },
  {
    name: 'WrongKeysRefused',
    field: 'http',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'sum by (job) (increase(protection_rate_refused_total{policy="failures"}[$window])) > 100',
    summary: 'Somebody tries API keys that do not hold: {{ $value | humanize }} attempts were refused',
    description:
      'An address has used up its wrong keys and goes on; only keys that are known get in from there.',
  },
];
