import { type Dashboard, panel, percentilesPanel } from '../dashboard.ts';

const USERS = 'route!~"/metrics|/health/.*"';

export const OVERVIEW: Dashboard = {
  id: 'peregrine-overview',
  title: 'Peregrine: overview',
  panels: [
    panel(
      'Alerts that fire',
      'none',
      'sum by (alertname, severity) (ALERTS{alertstate="firing"})',
      '{{alertname}} ({{severity}})',
    ),
    panel('Processes that answer', 'none', 'sum by (job) (up{job=~"api|worker"})', '{{job}}'),
    panel(
      'Requests',
      'reqps',
      `sum by (status) (rate(http_requests_total{${USERS}}[$__rate_interval]))`,
      '{{status}}',
    ),
    panel(
      'Share of requests that fail',
      'percentunit',
      `sum(rate(http_requests_total{status="5xx",${USERS}}[$__rate_interval])) / sum(rate(http_requests_total{${USERS}}[$__rate_interval]))`,
      '5xx',
    ),
    percentilesPanel('Time of requests', 'http_request_duration_seconds', `{${USERS}}`),
    percentilesPanel('Time of statements', 'db_query_latency'),
    panel(
      'Hit rate of the cache',
      'percentunit',
      'sum by (job) (rate(cache_hits_total[$__rate_interval])) / (sum by (job) (rate(cache_hits_total{tier="memory"}[$__rate_interval])) + sum by (job) (rate(cache_misses_total{tier="memory"}[$__rate_interval])))',
      '{{job}}',
    ),
    panel('Tasks', 'short', 'max by (state) (async_queue_size{state!="completed"})', '{{state}}'),
  ],
};

export const HTTP: Dashboard = {
  id: 'peregrine-http',
  title: 'Peregrine: HTTP',
  panels: [
    panel(
      'Requests by route',
      'reqps',
      `topk(10, sum by (method, route) (rate(http_requests_total{${USERS}}[$__rate_interval])))`,
      '{{method}} {{route}}',
    ),
    panel(
      'p95 by route',
      's',
      `topk(10, histogram_quantile(0.95, sum by (method, route, le) (rate(http_request_duration_seconds_bucket{${USERS}}[$__rate_interval]))))`,
      '{{method}} {{route}}',
    ),
    panel(
      'Failures by route',
      'reqps',
      'sum by (method, route) (rate(http_requests_total{status="5xx"}[$__rate_interval]))',
      '{{method}} {{route}}',
    ),
    panel('Requests in flight', 'short', 'sum by (instance) (http_requests_in_flight)', '{{instance}}'),
    panel(
      'Slow requests',
      'ops',
      'sum by (instance) (rate(http_slow_requests_total[$__rate_interval]))',
      '{{instance}}',
    ),
    panel(
      'Refused by a rate limit',
      'reqps',
      'sum by (policy) (rate(protection_rate_refused_total[$__rate_interval]))',
      '{{policy}}',
    ),
    {
      title: 'Requests at once',
      unit: 'short',
      description:
        'Of each api. The limit follows latencies; at the limit requests wait for a place, then they are shed.',
      queries: [
        { expression: 'protection_concurrency_limit', legend: '{{instance}} limit' },
        { expression: 'protection_concurrency_in_flight', legend: '{{instance}} in flight' },
        { expression: 'protection_concurrency_queued', legend: '{{instance}} waiting' },
      ],
    },
    {
      title: 'Refused for want of room',
      unit: 'reqps',
      description: 'Too many at once, or too little memory.',
      queries: [
        {
          expression: 'sum by (priority) (rate(protection_concurrency_shed_total[$__rate_interval]))',
          legend: 'at once: {{priority}}',
        },
        { expression: 'sum(rate(memory_shed_requests_total[$__rate_interval]))', legend: 'memory' },
      ],
    },
    panel(
      'Store of the rate limits answers',
      'none',
      'min by (instance) (protection_rate_store_up)',
      '{{instance}}',
    ),
    {
      title: 'Store of the rate limits: questions, failures, decisions without it',
      unit: 'ops',
      queries: [
        { expression: 'sum(rate(protection_rate_store_trips_total[$__rate_interval]))', legend: 'questions' },
        {
          expression: 'sum(rate(protection_rate_store_failures_total[$__rate_interval]))',
          legend: 'failures',
        },
        {
          expression: 'sum(rate(protection_rate_fallbacks_total[$__rate_interval]))',
          legend: 'decided alone',
        },
      ],
    },
    panel(
      'Assets',
      'reqps',
      'sum by (prefix, result) (rate(cdn_responses_total[$__rate_interval]))',
      '{{prefix}} {{result}}',
    ),
  ],
};
