import type { Alert } from '../alert.ts';

export const PROCESS_ALERTS: readonly Alert[] = [
  {
    name: 'EventLoopDelayed',
    field: 'process',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'nodejs_eventloop_lag_p99_seconds{job=~"api|worker"} > 0.1',
    summary: 'The event loop of {{ $labels.instance }} is late by {{ $value | humanizeDuration }}',
    description: 'Something computes for long at a stretch, and every request of this process waits for it.',
  },
  {
    name: 'HeapNearLimit',
    field: 'process',
    severity: 'critical',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'health_heap_used_ratio > 0.85',
    summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its heap',
    description: 'At its limit V8 ends the process, and what runs in it is lost.',
  },
  {
    name: 'FilesNearLimit',
    field: 'process',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'process_open_fds{job=~"api|worker"} / process_max_fds{job=~"api|worker"} > 0.8',
    summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its file descriptors',
    description: 'At the limit it takes no connection and opens no file.',
  },
  {
    name: 'DependencyDegraded',
    field: 'process',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'health_check_up{criticality="degraded"} == 0',
    summary: 'The check {{ $labels.check }} of {{ $labels.instance }} fails',
    description: 'The process serves on with less: slower, or without one of its parts.',
  },
];
