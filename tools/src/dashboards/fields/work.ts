import { type Dashboard, panel } from '../dashboard.ts';

export const TASKS: Dashboard = {
  id: 'peregrine-tasks',
  title: 'Peregrine: tasks and purges',
  panels: [
    panel(
      'Tasks in the store',
      'short',
      'max by (state) (async_queue_size{state!="completed"})',
      '{{state}}',
    ),
    panel(
      'Tasks that completed',
      'ops',
      'sum by (task) (rate(task_completed_total[$__rate_interval]))',
      '{{task}}',
    ),
    {
      title: 'Tasks that failed, and attempts that are tried again',
      unit: 'ops',
      queries: [
        {
          expression: 'sum by (task) (rate(task_failed_total[$__rate_interval]))',
          legend: '{{task}} failed',
        },
        {
          expression: 'sum by (task) (rate(task_retries_total[$__rate_interval]))',
          legend: '{{task}} retried',
        },
      ],
    },
    panel(
      'Wait by class, p95',
      's',
      'histogram_quantile(0.95, sum by (priority, le) (rate(task_wait_seconds_bucket[$__rate_interval])))',
      '{{priority}}',
    ),
    panel(
      'Waits longer than promised',
      'ops',
      'sum by (priority) (rate(task_promised_wait_missed_total[$__rate_interval]))',
      '{{priority}}',
    ),
    panel(
      'Time of a task',
      's',
      'sum by (task) (rate(task_duration_seconds_total[$__rate_interval])) / sum by (task) (rate(task_completed_total[$__rate_interval]))',
      '{{task}}',
    ),
    panel('Outbox: age of the oldest task', 's', 'max(task_outbox_lag_seconds)', 'age'),
    panel('Purges that are not done', 'short', 'max by (provider) (cdn_purge_pending)', '{{provider}}'),
    panel('Age of the oldest purge', 's', 'max by (provider) (cdn_purge_oldest_age_seconds)', '{{provider}}'),
    panel(
      'Purges that ended',
      'ops',
      'sum by (provider, result) (rate(cdn_purges_total[$__rate_interval]))',
      '{{provider}} {{result}}',
    ),
  ],
};

export const PROCESSES: Dashboard = {
  id: 'peregrine-processes',
  title: 'Peregrine: processes',
  panels: [
    panel(
      'CPU, cores',
      'short',
      'rate(process_cpu_seconds_total{job=~"api|worker"}[$__rate_interval])',
      '{{job}} {{instance}}',
    ),
    panel(
      'Resident memory',
      'bytes',
      'process_resident_memory_bytes{job=~"api|worker"}',
      '{{job}} {{instance}}',
    ),
    panel(
      'Memory and live heap against their limits',
      'percentunit',
      'memory_used_ratio',
      '{{job}} {{instance}} {{of}}',
    ),
    {
      title: 'Memory pressure',
      unit: 'none',
      description: '0 normal, 1 caches are halved, 2 caches are empty and new work is refused.',
      queries: [{ expression: 'memory_pressure_level', legend: '{{job}} {{instance}}' }],
    },
    panel(
      'Share of their budgets that caches may use',
      'percentunit',
      'memory_budget_share_ratio',
      '{{job}} {{instance}}',
    ),
    panel(
      'What was done about memory',
      'ops',
      'sum by (job, action) (rate(memory_actions_total[$__rate_interval]))',
      '{{job}} {{action}}',
    ),
    panel(
      'Memory given back',
      'bytes',
      'sum by (job, consumer) (increase(memory_freed_bytes_total[$__rate_interval]))',
      '{{job}} {{consumer}}',
    ),
    panel(
      'Consumers that failed to give memory back',
      'ops',
      'sum by (job, consumer) (rate(memory_consumer_failures_total[$__rate_interval]))',
      '{{job}} {{consumer}}',
    ),
    panel('Heap in use', 'bytes', 'nodejs_heap_size_used_bytes', '{{job}} {{instance}}'),
    panel(
      'Event loop delay, p99 between scrapes',
      's',
      'nodejs_eventloop_lag_p99_seconds',
      '{{job}} {{instance}}',
    ),
    panel(
      'Garbage collection',
      'percentunit',
      'sum by (job, instance, kind) (rate(nodejs_gc_duration_seconds_sum[$__rate_interval]))',
      '{{instance}} {{kind}}',
    ),
    panel('Open files and sockets', 'short', 'process_open_fds{job=~"api|worker"}', '{{job}} {{instance}}'),
    panel('Checks that fail', 'none', '1 - min by (job, check) (health_check_up)', '{{job}} {{check}}'),
    panel(
      'Share of keys that get a feature',
      'short',
      'max by (flag, scope) (feature_rollout_percent)',
      '{{flag}} {{scope}}',
    ),
    panel(
      'Figures that could not be collected',
      'ops',
      'sum by (job, source) (rate(metrics_source_errors_total[$__rate_interval]))',
      '{{job}} {{source}}',
    ),
  ],
};
