import { describe, expect, it } from '@jest/globals';
import { type ConsoleSnapshot } from '@peregrine/console';
import { MetricsService, parseMetricsOptions } from '@peregrine/metrics';
import { judge, type Judged } from './verdicts.js';

const metrics = new MetricsService(parseMetricsOptions({ processMetrics: false }));
metrics.onApplicationShutdown();

const WELL: Judged = {
  metrics: {
    ...metrics.snapshot(),
    status: {
      overall: 'healthy',
      errors: 'healthy',
      latency: 'healthy',
      eventLoop: 'healthy',
      memory: 'healthy',
    },
  },
  health: { database: 'up', cache: 'up' },
  cache: {
    status: 'healthy',
    recommendation: '',
    hitRate: 0.9,
    recentHitRate: null,
    tiers: [],
    namespaces: [],
  },
  queue: {
    pending: 0,
    running: 0,
    deadLettered: 0,
    submitted: 0,
    completed: 0,
    failed: 0,
    retries: 0,
    batches: 0,
    successRate: 1,
    classes: [],
    deadLetters: [],
    problem: null,
  },
  queries: {
    count: 10,
    errors: 0,
    p50Ms: 1,
    p95Ms: 2,
    p99Ms: 3,
    cacheHits: 0,
    cacheMisses: 0,
    slowMs: 100,
    slow: [],
    top: [],
    loops: [],
  },
  cdn: { providers: [], origins: [], pending: [], ended: [], problem: null },
  pool: {
    size: 2,
    idle: 2,
    inUse: 0,
    capacity: 20,
    waiting: { high: 0, normal: 0, low: 0 },
    acquired: { high: 0, normal: 100, low: 0 },
    timeouts: 0,
    refused: 0,
    leaks: 0,
    openFailures: 0,
    efficiency: 1,
  },
};
const first = (change: Partial<Judged>) => judge({ ...WELL, ...change })[0];
const query = {
  fingerprint: 'a',
  sql: 'SELECT',
  calls: 9,
  errors: 0,
  totalMs: 900,
  meanMs: 100,
  maxMs: 1_500,
};

describe('the verdicts', () => {
  it('judge every area, and leave nothing to do where all is well', () => {
    const verdicts = judge(WELL);
    expect(new Set(verdicts.map(({ page }) => page))).toEqual(
      new Set(['overview', 'pool', 'queue', 'cache', 'queries', 'cdn']),
    );
    for (const { level, todo } of verdicts.filter((it) => it.level === 'good')) {
      expect([level, todo]).toEqual(['good', '']);
    }
    expect(verdicts.map(({ level }) => level)).not.toContain('warning');
  });

  it.each<[string, Partial<Judged>, ConsoleSnapshot['verdicts'][number]['level'], RegExp]>([
    ['a database that is away', { health: { database: 'down' } }, 'critical', /database does not answer/],
    ['another system that is away', { health: { cache: 'down' } }, 'warning', /cache does not answer/],
    [
      'a pool that is used up',
      { pool: { ...WELL.pool, inUse: 20, waiting: { normal: 3 } } },
      'critical',
      /wait for the database/,
    ],
    ['a pool that is too small', { pool: { ...WELL.pool, efficiency: 0.5 } }, 'warning', /made callers wait/],
    [
      'a queue without its store',
      { queue: { ...WELL.queue, pending: null } },
      'warning',
      /queue does not answer/,
    ],
    ['dead letters', { queue: { ...WELL.queue, deadLettered: 2 } }, 'warning', /^2 tasks failed for good/],
    [
      'a cache that hardly helps',
      { cache: { ...WELL.cache, status: 'critical' } },
      'critical',
      /hardly helps/,
    ],
    [
      'a slow query',
      { queries: { ...WELL.queries, slow: [{ ...query, p95Ms: 1_234 }] } },
      'warning',
      /^1 kind of query is slow/,
    ],
    [
      'a purge that waits for long',
      {
        cdn: {
          ...WELL.cdn,
          pending: [
            {
              id: 'a',
              provider: 'fastly',
              kind: 'path',
              value: '/a',
              state: 'pending',
              attempts: 3,
              requestedAt: new Date(0).toISOString(),
              error: 'refused',
            },
          ],
        },
      },
      'warning',
      /do not get through/,
    ],
  ])('put %s first, and say why and what to do', (_, change, level, title) => {
    const verdict = first(change);
    expect(verdict).toMatchObject({ level, title: expect.stringMatching(title) });
    expect(verdict?.why).not.toBe('');
  });

  it('name the worst of the requests', () => {
    const status = { ...WELL.metrics.status, errors: 'warning', latency: 'critical' } as const;
    expect(first({ metrics: { ...WELL.metrics, status } })).toMatchObject({
      level: 'critical',
      title: 'Requests are slow',
    });
  });
});
