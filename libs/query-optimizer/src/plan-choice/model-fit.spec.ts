import { describe, expect, it } from '@jest/globals';
import { predictPlans } from './latency-model.js';
import { HEADS, ModelFit } from './model-fit.js';
import { FIT, fitted, halves, samplesOf } from './plan-samples.fixture.js';

const UPPER = Float64Array.of(0.75, 0.5);
const LOWER = Float64Array.of(0.25, 0.5);

function predicted(model: ReturnType<typeof fitted>, row: Float64Array): Float64Array {
  const ms = new Float64Array(2);
  predictPlans(model, row, 3, ms);
  return ms;
}

describe('ModelFit', () => {
  it('learns each plan by itself', () => {
    const model = fitted(samplesOf(600, halves));
    const [upper, lower] = [predicted(model, UPPER), predicted(model, LOWER)];
    expect([upper[0], upper[1], lower[1]].map((it) => Math.round(Math.log2(it! / 5)))).toEqual([2, 0, 4]);
    expect(model.map((it) => it?.heads.length)).toEqual([HEADS, HEADS]);
  });

  it('says nothing of a plan with few samples, and nothing beyond what it has seen', () => {
    const model = fitted(samplesOf(24, halves));
    expect(model).toEqual([undefined, undefined]);
    const whole = fitted(samplesOf(600, halves));
    expect([...predicted(whole, Float64Array.of(3, 0.5))]).toEqual([NaN, NaN]);
    expect([...predicted(whole, Float64Array.of(1.1, 0.5))].some(Number.isNaN)).toBe(false);
  });

  it('takes newer samples for more than older ones', () => {
    const slower = samplesOf(6_000, (plan, row, place) => halves(plan, row) + (place < 3_000 ? 0 : 1));
    const model = new ModelFit(slower, 2, undefined, { halfLife: 500, seed: 1 }).whole();
    expect(Math.log(predicted(model, UPPER)[0]! / 20)).toBeGreaterThan(0.9);
  });

  it('begins with a prior, and moves it to the machine by the few samples that there are', () => {
    const prior = fitted(samplesOf(2_000, halves));
    const twice = samplesOf(30, () => Math.log(40));
    // Of the second plan nothing has been measured.
    const first = { ...twice, plans: twice.plans.map(() => 0) };
    const model = fitted(first, prior);
    const [ofFirst, ofSecond] = predicted(model, UPPER);
    expect(ofFirst! / 40).toBeCloseTo(1, 0);
    expect(ofSecond).toBeGreaterThan(7);
    expect(predicted(model, LOWER)[1]! / ofSecond!).toBeGreaterThan(8);
  });

  it('keeps what a prior knows of queries for which the plan has not run since', () => {
    const prior = fitted(samplesOf(2_000, halves));
    const samples = samplesOf(2_000, halves, 2);
    const isUpper = (place: number) => samples.features[place * 2]! > 0.5;
    const model = new ModelFit(samples, 2, prior, FIT).without((place) => !isUpper(place));
    expect(predicted(model, UPPER)[1]).toBeLessThan(8);
    // Less than the 80 ms of the prior: the border is not where it was. But no reason to run it there.
    expect(predicted(model, LOWER)[1]).toBeGreaterThan(30);
  });

  it('corrects a prior that is wrong', () => {
    const prior = fitted(samplesOf(2_000, (plan, row) => halves(1 - plan, row)));
    const model = fitted(samplesOf(4_000, halves, 2), prior);
    expect(predicted(model, UPPER)[1]! / 5).toBeCloseTo(1, 0);
  });

  it('leaves out what is held out', () => {
    const samples = samplesOf(600, (plan, row, place) => (place >= 300 ? 9 : halves(plan, row)));
    const model = new ModelFit(samples, 2, undefined, FIT).without((place) => place >= 300);
    expect(predicted(model, UPPER)[0]).toBeLessThan(25);
  });
});
