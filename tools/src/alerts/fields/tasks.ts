import type { Alert } from '../alert.ts';

// What is in the store is the same from whoever counts it.
export const TASK_ALERTS: readonly Alert[] = [
  {
    name: 'QueueWaitTooLong',
    field: 'tasks',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 10,
    expression: `sum by (priority) (increase(task_promised_wait_missed_total[$window]))
  / sum by (priority) (increase(task_wait_seconds_count[$window])) > 0.05
and sum by (priority) (increase(task_wait_seconds_count[$window])) >= 20`,
    summary:
      '{{ $value | humanizePercentage }} of the tasks of class {{ $labels.priority }} start later than promised',
    description: 'There is more work than the workers can do: the classes wait longer than they promise.',
  },
  {
    name: 'QueueStalled',
    field: 'tasks',
    severity: 'critical',
    forMinutes: 5,
    windowMinutes: 5,
    expression: `max(async_queue_size{state="waiting"}) > 0
unless on () sum(increase(task_wait_seconds_count[$window])) > 0`,
    summary: '{{ $value }} tasks wait and none starts',
    description: 'No worker takes tasks: no text is extracted, nothing is purged, nothing is released.',
  },
  {
    name: 'DeadLetters',
    field: 'tasks',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 15,
    expression: 'max(async_queue_size{state="failed"}) > 0',
    summary: '{{ $value }} tasks failed for good',
    description: 'Work was given up and waits for a person, who redrives or purges it.',
  },
  {
    name: 'DeadLettersGrowing',
    field: 'tasks',
    severity: 'critical',
    forMinutes: 0,
    windowMinutes: 15,
    expression: `max(async_queue_size{state="failed"})
  - min(min_over_time(async_queue_size{state="failed"}[$window])) > 20`,
    summary: '{{ $value }} more tasks failed for good within a quarter of an hour',
    description: 'Something breaks task after task: a deployment, a dependency, or one kind of input.',
  },
  {
    name: 'OutboxHeldUp',
    field: 'tasks',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'max(task_outbox_lag_seconds) > 60',
    summary: 'A task has waited in the outbox for {{ $value | humanizeDuration }}',
    description: 'Committed tasks do not get from PostgreSQL to Redis. None is lost; they start late.',
  },
];
