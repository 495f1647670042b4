import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  QueryPlannerInputError,
  QueryPlannerOptionsError,
  type QueryOptimizerError,
} from '../query-optimizer.errors.js';
import { fitted, halves, samplesOf } from './plan-samples.fixture.js';
import { toPlannerModel } from './planner-model.js';
import { QueryPlanner } from './query-planner.js';
import { type QueryPlannerOptions } from './query-planner.options.js';
import { seededRandom } from './seeded-random.js';

const PLANS = ['steady', 'split', 'new'] as const;
type Plan = (typeof PLANS)[number];
const FEATURES = ['place', 'other'];
/** Of two of the plans; nothing is known of the third. */
const prior = toPlannerModel(fitted(samplesOf(1_000, halves)), ['steady', 'split'], FEATURES);

const planner = (options: Partial<QueryPlannerOptions<Plan>> = {}) =>
  new QueryPlanner<Plan>({ plans: PLANS, features: FEATURES, prior, ...options });
/** Goes on to decide, but no thread is started. */
const untaught = (options: Partial<QueryPlannerOptions<Plan>>) => {
  const it = planner(options);
  void it.close();
  return it;
};
const question = (place: number, allowed: readonly Plan[] = PLANS, fallback: Plan = 'steady') => ({
  shape: 'plain',
  buckets: [Math.floor(place * 2)],
  features: [place, 0.5],
  allowed,
  fallback,
});

describe('QueryPlanner with a prior', () => {
  it('takes the better plan from the first query on, and says why, and when to give it up', () => {
    const decision = planner().decide(question(0.75));
    expect(decision).toMatchObject({ plan: 'split', fallback: 'steady', reason: 'gain', cached: false });
    expect(decision).toMatchObject({ propensity: 1, modelVersion: 1 });
    expect(Object.keys(decision.predictedMs)).toEqual(['steady', 'split']);
    expect(decision.timeoutMs).toBe(Math.ceil(decision.predictedMs.steady! * 3));
    const other = planner().decide(question(0.25));
    expect(other).toMatchObject({ plan: 'steady', reason: 'fallback', timeoutMs: undefined });
  });

  it.each([
    [{ minGain: 0.9 }, 'steady'],
    [{ minGainMs: 30 }, 'steady'],
    [{ minGain: 0.5, minGainMs: 10 }, 'split'],
  ])('leaves the fallback only for a gain that is enough: %j', (options, plan) => {
    expect(planner(options).decide(question(0.75)).plan).toBe(plan);
  });

  it('stays with the fallback where it has never been', () => {
    expect(planner().decide({ ...question(0), features: [4, 0.5] })).toMatchObject({
      plan: 'steady',
      reason: 'out-of-domain',
      cached: false,
    });
  });

  it('remembers by shape and buckets until it is told not to', () => {
    const it = planner();
    expect([0.75, 0.76, 0.25].map((place) => it.decide(question(place)).cached)).toEqual([
      false,
      true,
      false,
    ]);
    it.invalidate('index dropped');
    expect(it.decide(question(0.75)).cached).toBe(false);
    expect(it.report().cache).toEqual({ entries: 1, hits: 1, misses: 3, drops: { 'index dropped': 2 } });
  });

  it('never chooses what is not allowed, whatever it knows and explores', () => {
    const asked = fc.record({
      place: fc.double({ min: -1, max: 2, noNaN: true }),
      allowed: fc.subarray([...PLANS], { minLength: 1 }),
      ms: fc.double({ min: 0, max: 1_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 100 }), fc.integer(), (questions, seed) => {
        const it = untaught({ regretBudget: 0.5, random: seededRandom(seed) });
        for (const { place, allowed, ms } of questions) {
          const decision = it.decide(question(place, allowed, allowed[0]));
          expect(allowed).toContain(decision.plan);
          expect(decision.propensity).toBeGreaterThan(0);
          expect(decision.propensity).toBeLessThanOrEqual(1);
          expect(decision.timeoutMs === undefined).toBe(decision.plan === decision.fallback);
          it.record(decision, { durationMs: ms });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('never spends more than its budget, nor sets more aside', () => {
    const asked = fc.record({
      place: fc.double({ min: 0, max: 1, noNaN: true }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      isLate: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(asked, { minLength: 50, maxLength: 300 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.integer(),
        (queries, regretBudget, seed) => {
          const it = untaught({ regretBudget, random: seededRandom(seed), now: () => 0 });
          const open: (() => void)[] = [];
          for (const { place, part, isLate } of queries) {
            const decision = it.decide(question(place));
            const { timeoutMs = 200 } = decision;
            const timedOut = part > 0.9;
            open.push(() =>
              it.record(decision, { durationMs: timedOut ? timeoutMs : part * timeoutMs, timedOut }),
            );
            if (!isLate) open.splice(0).forEach((end) => end());
            const { spentMs, reservedMs, allowedMs } = it.report().exploration.hour;
            expect(spentMs + reservedMs).toBeLessThanOrEqual(allowedMs + 1e-6);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('explores what it knows nothing of, as often as it says', () => {
    const it = untaught({ regretBudget: 0.5, random: seededRandom(3), now: () => 0 });
    const counts = { explored: 0, expected: 0 };
    for (let query = 0; query < 3_000; query++) {
      const decision = it.decide(question(0.25));
      if (decision.reason === 'exploration') counts.explored++;
      if (decision.reason === 'fallback') counts.expected += 1 - decision.propensity;
      it.record(decision, { durationMs: 20 });
    }
    expect(counts.explored).toBeGreaterThan(400);
    // The propensities of those that were not: a quarter is explored, and missing in that sum.
    expect(counts.explored / counts.expected).toBeGreaterThan(1);
    expect(counts.explored / counts.expected).toBeLessThan(1.7);
  });

  it('reports what it did, and gives families for a scrape', () => {
    const it = planner({ now: () => 0 });
    it.record(it.decide(question(0.75)), { durationMs: 6 });
    const report = it.report();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({
      decisions: [{ plan: 'split', reason: 'gain', count: 1 }],
      training: { modelVersion: 1, samples: 1, isTraining: false },
      regret: { runs: 1, actualMs: 6, blocks: [{ from: 1, runs: 1, actualMs: 6 }] },
      calibration: { split: { runs: 1, withinFactor2: 1 }, steady: { runs: 0 } },
      drift: { split: { alarms: 0, isSuspended: false, threshold: 8, lastAlarm: null } },
    });
    const families = it.collect();
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    expect(families.find(({ name }) => name === 'db_planner_decisions_total')?.samples).toEqual([
      { labels: { plan: 'split', reason: 'gain' }, value: 1 },
    ]);
    expect(families.flatMap(({ samples }) => samples).every(({ value }) => Number.isFinite(value))).toBe(
      true,
    );
  });

  it('is itself again as JSON', () => {
    const stored: unknown = JSON.parse(JSON.stringify(planner().model()));
    expect(stored).toEqual(prior);
    for (const place of [0.1, 0.4, 0.6, 0.9])
      expect(planner({ prior: stored as typeof prior }).decide(question(place)).predictedMs).toEqual(
        planner().decide(question(place)).predictedMs,
      );
  });
});

describe('QueryPlanner without one', () => {
  it('runs the fallback', () => {
    const it = planner({ prior: undefined });
    expect(it.decide(question(0.75))).toMatchObject({
      plan: 'steady',
      reason: 'untrained',
      predictedMs: {},
      propensity: 1,
      modelVersion: 0,
      timeoutMs: undefined,
    });
    expect(it.model()).toEqual({ format: 1, features: FEATURES, plans: {} });
  });
});

describe('bad input', () => {
  const failure = (run: () => unknown): QueryOptimizerError => {
    try {
      run();
    } catch (error) {
      return error as QueryOptimizerError;
    }
    throw new Error('nothing was thrown');
  };

  it.each([
    [{ features: [NaN, 0.5] }, 'the feature place is NaN'],
    [{ features: [0.5, Infinity] }, 'the feature other is Infinity'],
    [{ features: [0.5] }, '1 features instead of 2'],
    [{ allowed: [] }, 'no plan is allowed'],
    [{ allowed: ['other' as Plan] }, 'no plan other'],
    [{ allowed: ['split' as const] }, 'fallback steady is not among'],
    [{ buckets: [NaN] }, 'a bucket is NaN'],
  ])('is refused: %j', (part, problem) => {
    const it = planner();
    const error = failure(() => it.decide({ ...question(0.5), ...part }));
    expect(error).toBeInstanceOf(QueryPlannerInputError);
    expect(error).toMatchObject({ code: 'QUERY_PLANNER_INPUT', message: expect.stringContaining(problem) });
    expect(it.report().decisions).toEqual([]);
  });

  it.each([NaN, -1, Infinity])('is refused: %d ms', (durationMs) => {
    const it = planner();
    const decision = it.decide(question(0.75));
    expect(failure(() => it.record(decision, { durationMs }))).toBeInstanceOf(QueryPlannerInputError);
    it.record(decision, { durationMs: 5 });
    expect(failure(() => it.record(decision, { durationMs: 5 })).message).toContain('recorded before');
    expect(it.report().training.samples).toBe(1);
  });

  it('is refused in the options, all of it at once', () => {
    const wrong = {
      plans: ['a', 'a'],
      features: FEATURES.toReversed(),
      prior,
      minGain: 2,
      regretBudget: -1,
    };
    const error = failure(() => new QueryPlanner(wrong));
    expect(error).toBeInstanceOf(QueryPlannerOptionsError);
    expect(error).toMatchObject({ code: 'QUERY_PLANNER_OPTIONS', problems: expect.any(Array) });
    for (const it of ['plans', 'prior', 'minGain', 'regretBudget']) expect(error.message).toContain(it);
    const broken = structuredClone(prior);
    broken.plans['split']!.trees.leaves.pop();
    expect(failure(() => planner({ prior: broken })).message).toContain('its trees are not whole');
  });
});
