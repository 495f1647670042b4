import { type MetricFamily } from '../metric-source.js';
import { type MemoryManagerState } from './memory-manager.js';
import { MEMORY_LEVELS } from './memory-pressure.js';

/** Metric names of the memory manager; those of the registry itself are reserved for it. */
const NAMES = {
  level: 'memory_pressure_level',
  usedRatio: 'memory_used_ratio',
  limit: 'memory_limit_bytes',
  budgetShare: 'memory_budget_share_ratio',
  actions: 'memory_actions_total',
  freed: 'memory_freed_bytes_total',
  failures: 'memory_consumer_failures_total',
  shedRequests: 'memory_shed_requests_total',
} as const;

/** Counted since start. */
export interface MemoryCounters {
  /** trim, clear, grow, collect. */
  readonly actions: Record<string, number>;
  /** By consumer, bytes. */
  readonly freedBytes: Record<string, number>;
  /** By consumer. */
  readonly failures: Record<string, number>;
  shedRequests: number;
}

export function memoryFamilies(state: MemoryManagerState, counters: MemoryCounters): MetricFamily[] {
  const { level, rssRatio, heapRatio, limitBytes, budgetShare } = state;
  return [
    {
      name: NAMES.level,
      help: 'Memory pressure: 0 normal, 1 trim (budgets halved), 2 shed (nothing kept, new work refused)',
      type: 'gauge',
      samples: [{ value: MEMORY_LEVELS.indexOf(level) }],
    },
    {
      name: NAMES.usedRatio,
      help: 'RSS and live heap as shares of their limits, 0 to 1',
      type: 'gauge',
      samples: [
        { labels: { of: 'rss' }, value: rssRatio },
        { labels: { of: 'heap' }, value: heapRatio },
      ],
    },
    gauge(NAMES.limit, 'What the process may use, bytes', limitBytes),
    gauge(NAMES.budgetShare, 'Share of their budgets that caches and others may use, 0 to 1', budgetShare),
    {
      ...byLabel(NAMES.actions, 'action', counters.actions),
      help: 'What was done about memory: trim, clear, grow, collect',
    },
    {
      ...byLabel(NAMES.freed, 'consumer', counters.freedBytes),
      help: 'Memory that was given back, bytes',
    },
    {
      ...byLabel(NAMES.failures, 'consumer', counters.failures),
      help: 'Consumers and listeners that failed to follow',
    },
    {
      name: NAMES.shedRequests,
      help: 'Requests that were refused for want of memory',
      type: 'counter',
      samples: [{ value: counters.shedRequests }],
    },
  ];
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ value }] };
}

function byLabel(name: string, label: string, values: Readonly<Record<string, number>>) {
  const samples = Object.entries(values).map(([it, value]) => ({ labels: { [label]: it }, value }));
  return { name, samples, type: 'counter' as const };
}
