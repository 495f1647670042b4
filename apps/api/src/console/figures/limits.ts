import { type CacheFigures, type Level, type Limit, type PoolFigures } from '@peregrine/console';
import { type MetricsSnapshot, STATUS_THRESHOLDS } from '@peregrine/metrics';

/** What is used up to a bound, and how near it is. */
export function limitsOf(metrics: MetricsSnapshot, pool: PoolFigures, cache: CacheFigures): Limit[] {
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
