import { describe, expect, it } from '@jest/globals';
import { type ConsoleSnapshot } from '@peregrine/console';
import { MetricsService, parseMetricsOptions } from '@peregrine/metrics';
import { readdirSync } from 'node:fs';
import { judge } from './judge.js';
import { type Judged } from './judged.js';

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
  protection: { shed: 0, limit: 100, isStoreUp: true, memoryLevel: 0 },
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
  retrieval: {
    isLearning: true,
    decisions: 0,
    planCacheHitRatio: null,
    modelVersion: 1,
    trainings: 0,
    lastTraining: null,
    exploration: { spentMs: 0, budgetMs: 0 },
    plans: [],
    regret: [],
    calibration: [{ embedder: 'local', z: 3, isLearned: false, samples: 100, failures: 0 }],
  },
  cdn: { providers: [], origins: [], edges: [], releases: [], pending: [], ended: [], problem: null },
  processes: {
    all: [
      {
        ...{ id: 'a', role: 'worker', host: 'here', pid: 7, isGone: false, figures: null },
        ...{ startedAt: new Date().toISOString(), seenAt: new Date().toISOString() },
      },
    ],
    problem: null,
  },
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
const RUNBOOKS = readdirSync(new URL('../../../../../docs/runbooks', import.meta.url));
const first = (change: Partial<Judged>) => judge({ ...WELL, ...change })[0];
const query: Judged['queries']['slow'][number] = {
  ...{ fingerprint: 'a', sql: 'SELECT', source: 'application' as const, calls: 20, slowCalls: 9 },
  ...{ totalMs: 900, meanMs: 100, p95Ms: null, maxMs: 1_500, plans: 1, hasRegressed: false },
};
const [worker] = WELL.processes.all;
const died = { ...worker, id: 'b', pid: 8, isGone: true } as (typeof WELL.processes.all)[number];
const purge = {
  ...{ id: 'a', provider: 'fastly', kind: 'path', value: '/a', attempts: 3, soft: false, error: 'refused' },
  ...{ requestedAt: new Date().toISOString(), notBefore: new Date().toISOString() },
};
const waits = {
  ...{ priority: 'HIGH', promisedMs: 2_000, started: 9, missed: 1 },
  recent: { started: 9, missed: 1, p50Ms: 10, p95Ms: 3_000 },
};

describe('the verdicts', () => {
  it('judge every area, and leave nothing to do where all is well', () => {
    const verdicts = judge(WELL);
    expect(new Set(verdicts.map(({ page }) => page))).toEqual(
      new Set(['overview', 'pool', 'queue', 'cache', 'queries', 'retrieval', 'cdn']),
    );
    for (const { level, todo } of verdicts.filter((it) => it.level === 'good')) {
      expect([level, todo]).toEqual(['good', '']);
    }
    expect(verdicts.map(({ level }) => level)).not.toContain('warning');
  });

  it.each<[string, Partial<Judged>, ConsoleSnapshot['verdicts'][number]['level'], RegExp]>([
    ['a database that is away', { health: { database: 'down' } }, 'critical', /database does not answer/],
    [
      'requests that were shed',
      { protection: { ...WELL.protection, shed: 3 } },
      'warning',
      /^3 requests were refused for want of room/,
    ],
    [
      'rate limits without their store',
      { protection: { ...WELL.protection, isStoreUp: false } },
      'warning',
      /limits rates alone/,
    ],
    [
      'memory that runs short',
      { protection: { ...WELL.protection, memoryLevel: 1 } },
      'warning',
      /runs short/,
    ],
    [
      'work that is refused for want of memory',
      { protection: { ...WELL.protection, memoryLevel: 2 } },
      'critical',
      /refused for want of memory/,
    ],
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
      { cache: { ...WELL.cache, status: 'critical', recommendation: 'Do it' } },
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
      'answers under their floor',
      {
        retrieval: {
          ...WELL.retrieval,
          calibration: [{ embedder: 'local', z: 3.25, isLearned: true, samples: 100, failures: 1 }],
        },
      },
      'warning',
      /^Answers missed more than they promised/,
    ],
    [
      'a purge that waits for long',
      {
        cdn: {
          ...WELL.cdn,
          pending: [{ ...purge, state: 'pending', requestedAt: new Date(0).toISOString() }],
        },
      },
      'warning',
      /do not get through/,
    ],
    [
      'a purge that was given up',
      { cdn: { ...WELL.cdn, ended: [{ ...purge, state: 'failed' }] } },
      'warning',
      /^A purge was given up/,
    ],
    [
      'a class that breaks its promise',
      { queue: { ...WELL.queue, classes: [waits] } },
      'warning',
      /HIGH wait too long/,
    ],
    [
      'a worker that died',
      { processes: { ...WELL.processes, all: [...WELL.processes.all, died] } },
      'warning',
      /^A worker died/,
    ],
    [
      'work without anybody to do it',
      {
        processes: { all: [died], problem: null },
        queue: { ...WELL.queue, pending: 3 },
        metrics: { ...WELL.metrics, uptimeSeconds: 60 },
      },
      'critical',
      /^No worker runs/,
    ],
  ])('put %s first, and say why and what to do', (_, change, level, title) => {
    const verdict = first(change);
    expect(verdict).toMatchObject({ level, title: expect.stringMatching(title) });
    expect(verdict?.why).not.toBe('');
    expect(verdict?.todo).not.toBe('');
    expect(RUNBOOKS).toContain(`${verdict?.runbook}.md`);
  });

  it('say nothing of protection that is switched off', () => {
    const protection = { shed: undefined, limit: undefined, isStoreUp: undefined, memoryLevel: undefined };
    expect(new Set(judge({ ...WELL, protection }).map(({ level }) => level))).not.toContain('warning');
  });

  it('say which plans are learned anew, and leave nothing to do', () => {
    const drifted = {
      ...{ name: 'graph-first', chosen: 9, explored: 1, actualToPredicted: 3, withinFactorTwo: 0.1 },
      hasDrifted: true,
    };
    const verdicts = judge({ ...WELL, retrieval: { ...WELL.retrieval, plans: [drifted] } });
    expect(verdicts.find(({ page }) => page === 'retrieval')).toMatchObject({
      ...{ level: 'unknown', todo: '', why: expect.stringContaining('graph-first') },
    });
  });

  it('call no query slow that has hardly run', () => {
    const slow = [{ ...query, calls: 19, p95Ms: 1_234 }];
    const verdicts = judge({ ...WELL, queries: { ...WELL.queries, slow } });
    expect(verdicts.find(({ page }) => page === 'queries')?.level).toBe('good');
  });

  it('forget a purge that was given up when it was sent again', () => {
    const again = {
      ...purge,
      id: 'b',
      state: 'done',
      requestedAt: new Date(Date.now() + 1_000).toISOString(),
    };
    const ended = [again, { ...purge, state: 'failed' }];
    const verdict = judge({ ...WELL, cdn: { ...WELL.cdn, ended } }).find(({ page }) => page === 'cdn');
    expect(verdict?.level).toBe('good');
  });

  it('name the worst of the requests', () => {
    const status = { ...WELL.metrics.status, errors: 'warning', latency: 'critical' } as const;
    expect(first({ metrics: { ...WELL.metrics, status } })).toMatchObject({
      level: 'critical',
      title: 'Requests are slow',
    });
  });
});
