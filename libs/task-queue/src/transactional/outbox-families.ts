import { type MetricFamily } from '../statistics/metric-families.js';
import { type OutboxRelay } from './outbox-relay.js';

/** Nothing where there is no outbox; the gauges only where a worker looks at it. */
export function outboxFamilies({ isRunning, relayed, backlog }: OutboxRelay): MetricFamily[] {
  if (!isRunning) return [];
  const gauge = (name: string, help: string, value: number | undefined): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples: value === undefined ? [] : [{ value }],
  });
  return [
    {
      name: 'task_outbox_relayed_total',
      help: 'Tasks that this process brought from the outbox to the store',
      type: 'counter',
      samples: [{ value: relayed }],
    },
    gauge('task_outbox_size', 'Tasks in the outbox, counted up to 10,000', backlog?.size),
    gauge('task_outbox_lag_seconds', 'Age of the oldest task in the outbox', backlog?.lagSeconds),
  ];
}
