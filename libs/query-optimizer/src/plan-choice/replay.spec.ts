import { describe, expect, it } from '@jest/globals';
import { type LatencyModel } from './latency-model.js';
import { FIT, fitted, GUARD, halves, samplesOf } from './plan-samples.fixture.js';
import { type ReplayInput, replay } from './replay.js';
import { type SampleSet } from './sample-log.js';
import { trainRound } from './training-round.js';

const good = fitted(samplesOf(1_000, halves));
/** Takes the one half for the other. */
const bad = fitted(
  samplesOf(1_000, (plan, [place = 0, other = 0]) => halves(plan, Float64Array.of(1 - place, other))),
);

const judged = (
  candidate: LatencyModel,
  current?: LatencyModel,
  samples: SampleSet = samplesOf(500, halves, 7),
) =>
  replay({
    samples,
    from: 0,
    planCount: 2,
    guard: GUARD,
    candidateFor: () => candidate,
    current,
  } satisfies ReplayInput);

describe('replay', () => {
  it('takes a model that is as good as the current one, and the first that is better than none', () => {
    expect(judged(good, good)).toMatchObject({ isBetter: true });
    expect(judged(good)).toMatchObject({ isBetter: true });
    expect(judged(good, bad)).toMatchObject({ isBetter: true });
  });

  it('refuses one that predicts worse', () => {
    expect(judged(bad, good)).toMatchObject({ isBetter: false, why: expect.stringContaining('error') });
    expect(judged(bad)).toMatchObject({ isBetter: false, why: expect.stringContaining('error') });
  });

  it('refuses one whose choices cost more, though it predicts well what mostly happens', () => {
    const hangs = (plan: number, _: Float64Array, place: number) =>
      Math.log(plan === 0 ? 20 : place % 20 === 0 ? 2_000 : 8);
    expect(judged(fitted(samplesOf(1_000, hangs)), undefined, samplesOf(500, hangs, 7))).toMatchObject({
      isBetter: false,
      why: expect.stringMatching(/^costs .* more than the fallback alone$/),
    });
  });
});

describe('trainRound', () => {
  it('judges a model by samples that it has not seen, and measures its spread by them', () => {
    const samples = samplesOf(800, halves);
    const job = {
      ...FIT,
      samples,
      planCount: 2,
      guard: GUARD,
      prior: undefined,
      current: undefined,
      unseen: 800,
    };
    const { model, verdict } = trainRound(job);
    expect(verdict).toMatchObject({ isBetter: true });
    expect(model.map((it) => it?.samples)).toEqual(
      [0, 1].map((plan) => samples.plans.filter((it) => it === plan).length),
    );
    for (const it of model) expect(it?.spread).toBeLessThan(0.4);
    const judgedBad = trainRound(
      { ...job, current: good, unseen: 300 },
      { whole: () => bad, without: () => bad },
    );
    expect(judgedBad.verdict.isBetter).toBe(false);
  });
});
