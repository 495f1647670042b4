import { describe, expect, it } from '@jest/globals';

import { compareRounds, failsMore, type Round, type RoundFigures } from './ratios.ts';

const figures = (ms: number): RoundFigures => ({
  p50Ms: ms,
  p95Ms: 3 * ms,
  cpuMsPerRequest: 1,
  requests: 100,
  errors: 0,
});
const rounds = (...pairs: [old: number, now: number][]): Round[] =>
  pairs.map(([old, now]) => ({ old: figures(old), new: figures(now) }));

describe('compareRounds', () => {
  it('finds what is slower in every round, however much the rounds differ', () => {
    const { p50Ms, p95Ms, cpuMsPerRequest } = compareRounds(rounds([1, 1.5], [50, 75], [4, 6], [2, 3]));
    expect(p50Ms).toEqual({ median: 1.5, slowerIn: 1, isRegression: true });
    expect(p95Ms.isRegression).toBe(true);
    expect(cpuMsPerRequest).toEqual({ median: 1, slowerIn: 0, isRegression: false });
  });

  it('takes one bad round, or a little in all of them, for chance', () => {
    expect(compareRounds(rounds([1, 90], [1, 1], [1, 1], [1, 1])).p50Ms.isRegression).toBe(false);
    expect(compareRounds(rounds([1, 1.1], [1, 1.1], [1, 1.1])).p50Ms.isRegression).toBe(false);
    expect(compareRounds(rounds([1, 9], [1, 9], [9, 1], [9, 1], [1, 9])).p50Ms.isRegression).toBe(false);
  });
});

describe('failsMore', () => {
  it('counts requests that fail, since failing is fast', () => {
    const [round] = rounds([1, 0.1]) as [Round];
    expect(failsMore([round])).toBe(false);
    expect(failsMore([{ ...round, new: { ...round.new, errors: 1 } }])).toBe(false);
    expect(failsMore([{ ...round, new: { ...round.new, errors: 2 } }])).toBe(true);
  });
});
