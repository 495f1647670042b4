import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  calibrate,
  type CalibrationSample,
  conformalQuantile,
  enoughSamples,
  MAX_CERTAINTY,
  raised,
} from './calibration-rule.js';

const MISS_RATE = 0.005;
const rule = { certainty: 3, minCertainty: 2, missRate: MISS_RATE };
const ENOUGH = 199;

const query = (neededZ: number, raisedTo: number | null = null): CalibrationSample => ({
  ...{ neededZ, raisedTo },
  source: 'query',
});
const chunk = (neededZ: number): CalibrationSample => ({ ...query(neededZ), source: 'chunk' });
const many = (count: number, sample: CalibrationSample) => Array.from({ length: count }, () => sample);

const need = fc.double({ min: 0, max: 10, noNaN: true });
const anySample: fc.Arbitrary<CalibrationSample> = fc.record({
  neededZ: need,
  source: fc.constantFrom('query', 'chunk'),
  raisedTo: fc.option(fc.double({ min: 2, max: MAX_CERTAINTY, noNaN: true })),
});
const samples = fc.array(anySample, { maxLength: 600, size: 'max' });

describe('the conformal quantile', () => {
  it('is not known before there are enough values', () => {
    expect(enoughSamples(MISS_RATE)).toBe(ENOUGH);
    expect(conformalQuantile(Array<number>(ENOUGH - 1).fill(1), MISS_RATE)).toBeUndefined();
    expect(conformalQuantile(Array<number>(ENOUGH).fill(1), MISS_RATE)).toBe(1);
  });

  // What exchangeable means: whichever of the n + 1 values came last is as likely as any other.
  it('is exceeded by at most the miss rate of the values, whichever of them came last', () => {
    const missRates = fc.constantFrom(0.005, 0.02, 0.1, 0.3);
    const values = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 250, size: 'max' });
    fc.assert(
      fc.property(values, missRates, (all, missRate) => {
        const exceeded = all.filter((last, at) => {
          const quantile = conformalQuantile(all.toSpliced(at, 1), missRate);
          return quantile !== undefined && last > quantile;
        });
        expect(exceeded.length / all.length).toBeLessThanOrEqual(missRate);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the calibrated certainty', () => {
  it('is the option until there are enough samples, then what nearly all of them needed', () => {
    expect(calibrate(many(ENOUGH - 1, query(2.4)), rule)).toMatchObject({ z: 3, from: 'option' });
    expect(calibrate(many(ENOUGH, query(2.4)), rule)).toMatchObject({ z: 2.4, from: 'query' });
  });

  it('follows made samples until there are enough real ones', () => {
    const made = many(ENOUGH, chunk(4));
    expect(calibrate([...made, ...many(ENOUGH - 1, query(2.5))], rule)).toMatchObject({
      z: 4,
      from: 'chunk',
    });
    expect(calibrate([...made, ...many(ENOUGH, query(2.5))], rule)).toMatchObject({ z: 2.5, from: 'query' });
  });

  it('is raised at once by a failure, and comes down after enough samples to what the failure needed', () => {
    const before = many(ENOUGH, query(2.4));
    const failure = query(2.5, raised(2.4));
    expect(calibrate([...before, failure], rule)).toMatchObject({ z: 2.65, from: 'failure', failures: 1 });
    expect(calibrate([...before, failure, ...many(ENOUGH - 1, query(2.1))], rule).z).toBe(2.65);
    expect(calibrate([...before, failure, ...many(ENOUGH, query(2.1))], rule)).toMatchObject({ z: 2.5 });
    // Only when the failure itself is no longer kept is it forgotten.
    expect(calibrate(many(ENOUGH, query(2.1)), rule).z).toBe(2.1);
  });

  it('is within its bounds, and no less than what any kept failure needed', () => {
    fc.assert(
      fc.property(samples, (kept) => {
        const { z } = calibrate(kept, rule);
        expect(z).toBeGreaterThanOrEqual(rule.minCertainty);
        expect(z).toBeLessThanOrEqual(MAX_CERTAINTY);
        for (const it of kept.filter(({ raisedTo }) => raisedTo !== null)) {
          expect(z).toBeGreaterThanOrEqual(Math.min(MAX_CERTAINTY, it.neededZ));
        }
      }),
    );
  });

  it('goes up, by a quarter at least, with every failure until it can go no further', () => {
    fc.assert(
      fc.property(samples, need, (kept, needed) => {
        const before = calibrate(kept, rule).z;
        const after = calibrate([...kept, query(needed, raised(before))], rule).z;
        expect(after).toBeGreaterThanOrEqual(Math.min(MAX_CERTAINTY, before + 0.25));
      }),
    );
  });
});
