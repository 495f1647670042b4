import { type StoreCounts } from '../backend/task-operations.js';
import { type TaskCounters, type TaskStatistics } from './task-statistics.js';
import { type ClassWaits, WAIT_BUCKETS_S, type WaitTimes } from './wait-times.js';

/** Figures in the shape that a Prometheus registry takes; structural, so no metrics package is needed. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** Of a histogram: `_bucket` (cumulative, with the label `le`), `_sum` or `_count`. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const COUNTERS: readonly (readonly [
  name: string,
  help: string,
  of: (it: Readonly<TaskCounters>) => number,
])[] = [
  ['task_submitted_total', 'Tasks accepted by this process', (it) => it.submitted],
  ['task_completed_total', 'Tasks that completed in this process', (it) => it.completed],
  ['task_failed_total', 'Tasks that failed for good in this process', (it) => it.failed],
  ['task_cancelled_total', 'Tasks that ended as cancelled in this process', (it) => it.cancelled],
  ['task_retries_total', 'Failed attempts that are tried again', (it) => it.retries],
  ['task_redriven_total', 'Dead letters that this process put back to work', (it) => it.redriven],
  ['task_purged_total', 'Dead letters that this process removed', (it) => it.purged],
  ['task_batches_total', 'Calls of batch handlers', (it) => it.batches],
  ['task_suspects_total', 'Tasks taken over from a worker that died', (it) => it.suspects],
  ['task_poisoned_total', 'Tasks that failed because they kill their workers', (it) => it.poisoned],
  ['task_rate_limited_total', 'Runs that a rate limit put off', (it) => it.rateLimited],
  [
    'task_rate_limit_wait_seconds_total',
    'Time that they were put off for',
    (it) => it.rateLimitWaitMs / 1_000,
  ],
  ['task_duration_seconds_total', 'Time in handlers', (it) => it.durationMs / 1_000],
];

/** @param counts left out when unknown: an old number is worse than none */
export function metricFamilies(statistics: TaskStatistics, counts: StoreCounts | undefined): MetricFamily[] {
  const entries = statistics.entries();
  const families = COUNTERS.map(([name, help, of]): MetricFamily => {
    const samples = entries.map(([task, counters]) => ({ labels: { task }, value: of(counters) }));
    return { name, help, type: 'counter', samples };
  });
  const samples = Object.entries(counts ?? {}).map(([state, value]) => ({
    labels: { state },
    value: Number(value),
  }));
  return [
    { name: 'async_queue_size', help: 'Tasks in the store by state', type: 'gauge', samples },
    ...families,
    ...waitFamilies(statistics.waits),
  ];
}

function waitFamilies(waits: WaitTimes): MetricFamily[] {
  const entries = waits.entries();
  return [
    {
      name: 'task_wait_seconds',
      help: 'From the moment a task may start to the first call of its handler',
      type: 'histogram',
      samples: entries.flatMap(([priority, it]) => histogramSamples(priority, it)),
    },
    {
      name: 'task_promised_wait_missed_total',
      help: 'Tasks that waited longer than their class promises',
      type: 'counter',
      samples: entries.map(([priority, { missed }]) => ({ labels: { priority }, value: missed })),
    },
  ];
}

function histogramSamples(priority: string, waits: ClassWaits): MetricSample[] {
  let count = 0;
  const buckets = waits.buckets.map((inBucket, index): MetricSample => {
    count += inBucket;
    const le = String(WAIT_BUCKETS_S[index] ?? '+Inf');
    return { suffix: '_bucket', labels: { priority, le }, value: count };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels: { priority }, value: waits.sumMs / 1_000 },
    { suffix: '_count', labels: { priority }, value: count },
  ];
}
