import { describe, expect, it } from '@jest/globals';
import { memoryLimit, readMemory } from './memory.js';
import { judge, recommend, type JudgedFigures } from './verdicts.js';

const figures = (change: {
  errorRate?: number;
  p95Ms?: number;
  count?: number;
  lagP99Ms?: number;
  usedRatio?: number;
  heapRatio?: number;
}): JudgedFigures => ({
  recent: {
    windowSeconds: 300,
    count: change.count ?? 100,
    errorRate: change.errorRate ?? 0,
    p50Ms: 1,
    p95Ms: change.p95Ms ?? 2,
    p99Ms: 3,
  },
  eventLoop: { lagMeanMs: 0, lagMaxMs: 0, lagP99Ms: change.lagP99Ms ?? 0, utilization: 0.1 },
  memory: {
    rssBytes: 1,
    limitBytes: 2,
    usedRatio: change.usedRatio ?? 0.5,
    heapUsedBytes: 1,
    heapLimitBytes: 2,
    heapRatio: change.heapRatio ?? 0.5,
  },
  slowRequestMs: 500,
});

const sentence = (it: JudgedFigures): string => recommend(judge(it), it);

describe('judge', () => {
  it.each([
    ['errors', { errorRate: 0.0099 }, 'healthy'],
    ['errors', { errorRate: 0.01 }, 'warning'],
    ['errors', { errorRate: 0.05 }, 'critical'],
    ['errors', { errorRate: 1, count: 19 }, 'healthy'],
    ['latency', { p95Ms: 499 }, 'healthy'],
    ['latency', { p95Ms: 500 }, 'warning'],
    ['latency', { p95Ms: 2_000 }, 'critical'],
    ['eventLoop', { lagP99Ms: 99 }, 'healthy'],
    ['eventLoop', { lagP99Ms: 100 }, 'warning'],
    ['eventLoop', { lagP99Ms: 500 }, 'critical'],
    ['memory', { usedRatio: 0.79 }, 'healthy'],
    ['memory', { usedRatio: 0.8 }, 'warning'],
    ['memory', { heapRatio: 0.9 }, 'critical'],
  ] as const)('calls %s with %j %s, and the whole the same', (area, change, expected) => {
    const status = judge(figures(change));
    expect(status[area]).toBe(expected);
    expect(status.overall).toBe(expected);
  });
});

describe('recommend', () => {
  it('says so when there is nothing to do', () => {
    expect(sentence(figures({}))).toBe('All areas are healthy; nothing needs to be done.');
  });

  it('names the worst area, and among equals the cause before the effect', () => {
    expect(sentence(figures({ usedRatio: 0.8, errorRate: 0.5 }))).toContain('(errors: critical)');
    expect(sentence(figures({ heapRatio: 0.95, errorRate: 0.5, lagP99Ms: 900 }))).toBe(
      'The heap is at 95.0 % of its limit: shrink the in-memory caches or raise --max-old-space-size (memory: critical).',
    );
    expect(sentence(figures({ p95Ms: 700 }))).toContain('The 95th percentile is 700 ms');
  });
});

describe('memory', () => {
  it('takes the container limit only where there is one', () => {
    expect(memoryLimit(512, 1_024)).toBe(512);
    expect(memoryLimit(0, 1_024)).toBe(1_024);
    expect(memoryLimit(undefined, 1_024)).toBe(1_024);
    expect(memoryLimit(2 ** 64, 1_024)).toBe(1_024);
  });

  it('reads ratios between nothing and the limit', () => {
    const memory = readMemory();
    expect(memory.usedRatio).toBeGreaterThan(0);
    expect(memory.usedRatio).toBeLessThan(1);
    expect(memory.heapRatio).toBeGreaterThan(0);
    expect(memory.heapRatio).toBeLessThan(1);
  });
});
