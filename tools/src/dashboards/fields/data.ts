import { type Dashboard, panel, percentilesPanel } from '../dashboard.ts';

export const QUERIES: Dashboard = {
  id: 'peregrine-queries',
  title: 'Peregrine: queries and connections',
  panels: [
    percentilesPanel('Time of statements', 'db_query_latency'),
    panel('Statements', 'ops', 'sum by (job) (rate(db_query_latency_count[$__rate_interval]))', '{{job}}'),
    panel(
      'Statements that PostgreSQL refused',
      'ops',
      'sum by (job) (rate(db_query_errors_total[$__rate_interval]))',
      '{{job}}',
    ),
    {
      title: 'Cached results',
      unit: 'ops',
      queries: [
        { expression: 'sum(rate(db_query_cache_hits_total[$__rate_interval]))', legend: 'hits' },
        { expression: 'sum(rate(db_query_cache_misses_total[$__rate_interval]))', legend: 'misses' },
        {
          expression: 'sum by (reason) (rate(db_query_cache_bypassed_total[$__rate_interval]))',
          legend: 'bypassed: {{reason}}',
        },
      ],
    },
    {
      title: 'Connections',
      unit: 'short',
      description: 'Of all processes. In use near the capacity, with callers that wait: PoolSaturated.',
      queries: [
        { expression: 'sum by (state) (db_pool_connections)', legend: '{{state}}' },
        { expression: 'sum(db_pool_capacity)', legend: 'capacity' },
      ],
    },
    panel(
      'Callers that wait for a connection',
      'short',
      'sum by (priority) (db_pool_waiting)',
      '{{priority}}',
    ),
    percentilesPanel('Wait for a connection', 'db_pool_wait_seconds'),
    {
      title: 'Callers without a connection, and leaks',
      unit: 'ops',
      queries: [
        { expression: 'sum(rate(db_pool_timeouts_total[$__rate_interval]))', legend: 'timeouts' },
        { expression: 'sum(rate(db_pool_refused_total[$__rate_interval]))', legend: 'refused' },
        { expression: 'sum(rate(db_pool_leaks_total[$__rate_interval]))', legend: 'leaks' },
      ],
    },
    panel(
      'Slow statements',
      'ops',
      'sum by (job) (rate(db_slow_queries_total[$__rate_interval]))',
      '{{job}}',
    ),
    panel(
      'Plans that became worse',
      'short',
      'sum by (job) (increase(db_plan_regressions_total[1h]))',
      '{{job}}',
    ),
  ],
};

export const CACHE: Dashboard = {
  id: 'peregrine-cache',
  title: 'Peregrine: cache',
  panels: [
    panel(
      'Hit ratio by namespace, five minutes',
      'percentunit',
      'avg by (job, namespace) (cache_hit_ratio{window="5m"})',
      '{{job}} {{namespace}}',
    ),
    panel('Hits by tier', 'ops', 'sum by (tier) (rate(cache_hits_total[$__rate_interval]))', '{{tier}}'),
    panel(
      'Loads by namespace',
      'ops',
      'sum by (namespace) (rate(cache_loads_total[$__rate_interval]))',
      '{{namespace}}',
    ),
    panel(
      'Loads that failed',
      'ops',
      'sum by (namespace) (rate(cache_load_errors_total[$__rate_interval]))',
      '{{namespace}}',
    ),
    panel(
      'Time of a load',
      's',
      'sum by (namespace) (rate(cache_load_seconds_total[$__rate_interval])) / sum by (namespace) (rate(cache_loads_total[$__rate_interval]))',
      '{{namespace}}',
    ),
    panel(
      'Bytes in memory',
      'bytes',
      'sum by (instance, namespace) (cache_bytes{tier="memory"})',
      '{{instance}} {{namespace}}',
    ),
    panel(
      'Use of the tiers',
      'percentunit',
      'max by (instance, tier) (cache_utilization_ratio)',
      '{{instance}} {{tier}}',
    ),
    panel(
      'Evictions',
      'ops',
      'sum by (namespace) (rate(cache_evictions_total[$__rate_interval]))',
      '{{namespace}}',
    ),
    panel('Redis is used', 'none', 'min by (instance) (cache_redis_available)', '{{instance}}'),
    panel(
      'Invalidations that wait for Redis',
      'short',
      'sum by (instance) (cache_pending_invalidations)',
      '{{instance}}',
    ),
  ],
};
