import { describe, expect, it } from '@jest/globals';
import { Calibration } from './calibration.js';
import { RegretHistory } from './regret-history.js';
import { UsualTimes } from './usual-times.js';

describe('Calibration', () => {
  it('tells of the newest 500 runs', () => {
    const calibration = new Calibration();
    expect(calibration.report()).toEqual({ runs: 0, meanLogRatio: null, withinFactor2: null });
    for (let run = 0; run < 500; run++) calibration.add(5);
    for (let run = 0; run < 500; run++) calibration.add(run % 2 === 0 ? 0.5 : 1);
    expect(calibration.report()).toEqual({ runs: 500, meanLogRatio: 0.75, withinFactor2: 0.5 });
  });
});

describe('RegretHistory', () => {
  it('adds up blocks of 50 runs, and keeps 120 of them', () => {
    const history = new RegretHistory(() => 0);
    const run = { ms: 10, fallbackMs: NaN, bestMs: 4, isExploration: false };
    for (let count = 0; count < 6_000; count++) history.add(run);
    history.add({ ms: 3, fallbackMs: 20, bestMs: 4, isExploration: true });
    history.add({ ms: 3, fallbackMs: NaN, bestMs: NaN, isExploration: false });
    const { runs, actualMs, regretMs, blocks } = history.report();
    expect([runs, actualMs, regretMs, blocks.length]).toEqual([6_002, 60_006, 36_000, 121]);
    const at = '1970-01-01T00:00:00.000Z';
    expect(blocks[0]).toEqual({
      from: 1,
      runs: 50,
      at,
      actualMs: 10,
      fallbackMs: null,
      regretMs: 6,
      explored: 0,
    });
    expect(blocks.at(-1)).toEqual({
      from: 6_001,
      runs: 2,
      at,
      actualMs: 3,
      fallbackMs: 20,
      regretMs: 0,
      explored: 1,
    });
    for (let count = 0; count < 48; count++) history.add(run);
    expect(
      history
        .report()
        .blocks.map(({ from }) => from)
        .slice(0, 2),
    ).toEqual([51, 101]);
  });
});

describe('UsualTimes', () => {
  it('says nothing before 20 runs, and follows what changes', () => {
    const usual = new UsualTimes(2);
    for (let run = 0; run < 19; run++) usual.add(1, 10);
    expect(usual.of(1)).toBeNaN();
    usual.add(1, 10);
    expect(usual.of(1)).toBe(10);
    for (let run = 0; run < 500; run++) usual.add(1, 20);
    expect(usual.of(1)).toBeCloseTo(20, 2);
    expect(usual.of(0)).toBeNaN();
  });
});
