import {
  type CacheFigures,
  type Level,
  type Limit,
  type PoolFigures,
  type ProcessFigures,
  type QueueFigures,
} from '@peregrine/console';
import { type MetricsService, type MetricsSnapshot, STATUS_THRESHOLDS } from '@peregrine/metrics';
import { registeredFigure } from './registered-figure.js';

export interface Limited {
  readonly metrics: MetricsSnapshot;
  readonly pool: PoolFigures;
  readonly cache: CacheFigures;
  readonly queue: QueueFigures;
}

/** What is used up to a bound, and how near it is. */
export function limitsOf({ metrics, pool, cache, queue }: Limited): Limit[] {
  const { memory, eventLoop } = metrics;
  const tier = cache.tiers.find(({ name }) => name === 'Memory');
  const { memoryRatio, eventLoopLagMs } = STATUS_THRESHOLDS;
  const near = (used: number, limit: number): Level => {
    if (used >= limit * memoryRatio.critical) return 'critical';
    return used >= limit * memoryRatio.warning ? 'warning' : 'good';
  };
  return [
    bytes('Memory of the process', memory.rssBytes, memory.limitBytes, near, 'pool'),
    bytes('JavaScript heap', memory.heapUsedBytes, memory.heapLimitBytes, near, 'pool'),
    // A cache that is full works as it should.
    bytes('Cache in memory', tier?.bytes ?? 0, tier?.maxBytes ?? 0, () => 'good', 'cache'),
    {
      name: 'Database connections',
      used: pool.inUse,
      limit: pool.capacity,
      unit: 'count',
      level: near(pool.inUse, pool.capacity),
      page: 'pool',
    },
    {
      name: 'Delay of the event loop',
      used: eventLoop.lagP99Ms,
      limit: eventLoopLagMs.critical,
      unit: 'ms',
      level:
        eventLoop.lagP99Ms >= eventLoopLagMs.critical
          ? 'critical'
          : eventLoop.lagP99Ms >= eventLoopLagMs.warning
            ? 'warning'
            : 'good',
      page: 'pool',
    },
    ...queue.classes.flatMap(waitLimit),
  ];
}

/** Requests at once, where their number is limited. */
export async function concurrencyLimit(metrics: Pick<MetricsService, 'source'>): Promise<Limit[]> {
  const [used, limit] = await Promise.all(
    ['in_flight', 'limit'].map((it) =>
      registeredFigure(metrics, 'concurrency', `protection_concurrency_${it}`),
    ),
  );
  if (used === undefined || limit === undefined) return [];
  return [
    {
      ...{ name: 'Requests at once', used, limit, unit: 'count', page: 'overview' },
      // At the limit others wait for a moment; whether they are refused is a verdict of its own.
      level: used >= limit ? 'warning' : 'good',
    },
  ];
}

/** What the limits have refused; null where there are none. */
export async function refusedRequests(
  metrics: Pick<MetricsService, 'source'>,
): Promise<ProcessFigures['refused']> {
  const [byRate, atOnce] = await Promise.all([
    registeredFigure(metrics, 'rate-limits', 'protection_rate_refused_total'),
    registeredFigure(metrics, 'concurrency', 'protection_concurrency_shed_total'),
  ]);
  if (byRate === undefined && atOnce === undefined) return null;
  return { byRate: byRate ?? 0, atOnce: atOnce ?? 0 };
}

/** Of the classes that have had work. */
function waitLimit({ priority, promisedMs, recent }: QueueFigures['classes'][number]): Limit[] {
  if (recent.p95Ms === null) return [];
  return [
    {
      ...{ name: `Wait of ${priority} tasks, 95 %`, used: recent.p95Ms, limit: promisedMs },
      ...{ unit: 'ms', page: 'queue', level: recent.missed > 0 ? 'warning' : 'good' },
    },
  ];
}

function bytes(
  name: string,
  used: number,
  limit: number,
  level: (used: number, limit: number) => Level,
  page: Limit['page'],
): Limit {
  return { name, used, limit, unit: 'bytes', level: level(used, limit), page };
}
