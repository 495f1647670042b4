import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { analyse } from '../analysis/analyse.js';
import { loadAnalyser } from '../analysis/parser.js';
import { PlanHistory } from './plan-history.js';
import { type PlanSample } from './plan-sampler.js';

const sample = (hash: string, executionMs: number | null = null): PlanSample => ({
  plan: { hash, outline: hash, totalCost: 1, nodeCosts: [1], executionMs, buffers: null },
  isGeneric: false,
  problem: null,
});

describe('PlanHistory', () => {
  beforeAll(loadAnalyser);
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Each some time after the one before: which plan was there first is told by milliseconds. */
  const run = (durationMs: number) => {
    jest.advanceTimersByTime(1_000);
    return { statement: analyse('SELECT 1'), parameters: [], durationMs, at: 0 };
  };

  it('suspects a plan that takes twice as long, and ten milliseconds more', () => {
    const history = new PlanHistory();
    expect(history.add(sample('a'), run(8))).toBeUndefined();
    expect(history.add(sample('b'), run(17))).toBeUndefined();
    expect(history.add(sample('c'), run(40))?.before.hash).toBe('a');
    // Back to the first: better than those that came after it.
    expect(history.add(sample('a'), run(100))).toBeUndefined();
  });

  it('believes what was measured, and no duration of an old run', () => {
    const history = new PlanHistory();
    history.add(sample('a', 5), run(500));
    history.add(sample('b'), run(500), false);
    expect(history.plans.map((it) => it.meanMs)).toEqual([5, null]);
    history.add(sample('a', 15), run(500));
    expect(history.latest?.meanMs).toBe(8);
  });

  it('suspects no more what the parameters explain', () => {
    const history = new PlanHistory();
    history.add(sample('a'), run(1));
    const suspicion = history.add(sample('b'), run(100));
    if (suspicion) history.acquit(suspicion);
    expect(suspicion?.earlierRun?.durationMs).toBe(1);
    expect(history.add(sample('b'), run(100))).toBeUndefined();
    expect(history.add(sample('c'), run(100))?.before.hash).toBe('a');
  });

  it('keeps eight plans', () => {
    const history = new PlanHistory();
    for (let index = 0; index < 20; index++) history.add(sample(`plan ${index}`), run(1));
    expect(history.plans.map((it) => it.hash)).toEqual(
      Array.from({ length: 8 }, (_, index) => `plan ${index + 12}`),
    );
  });
});
