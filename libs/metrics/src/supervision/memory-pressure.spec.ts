import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MEMORY_LEVELS, MemoryPressure, type MemoryLevel, type PressureLimits } from './memory-pressure.js';

const LIMITS: PressureLimits = {
  trimRatio: 0.85,
  shedRatio: 0.9,
  recoverGap: 0.1,
  minDwellMs: 10_000,
  plateauMs: 60_000,
};
const STEP_MS = 1_000;

const severity = (it: MemoryLevel) => MEMORY_LEVELS.indexOf(it);

/** The level after each of the ratios, one a second. */
function levels(ratios: readonly number[], pressure = new MemoryPressure(LIMITS)): MemoryLevel[] {
  return ratios.map((ratio, index) => pressure.sample(ratio, index * STEP_MS));
}

const repeat = (ratio: number, times: number) => Array<number>(times).fill(ratio);
const series = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('MemoryPressure', () => {
  it.each<[string, number[], MemoryLevel]>([
    ['below 85 %', [0.849], 'normal'],
    ['at 85 %', [0.85], 'trim'],
    ['at 90 %', [0.9], 'shed'],
    ['after 85 % while at 75 %', [0.85, ...repeat(0.75, 100)], 'trim'],
    ['after 85 % and a dwell below 75 %', [0.85, ...repeat(0.749, 10)], 'normal'],
    ['after 85 % and less than a dwell below 75 %', [0.85, ...repeat(0.749, 9)], 'trim'],
    ['after 90 % and a dwell below 80 %', [0.9, ...repeat(0.799, 10)], 'trim'],
    ['after 90 % while at 80 %', [0.9, ...repeat(0.8, 50)], 'shed'],
    ['after 90 % and two dwells of nothing', [0.9, ...repeat(0.1, 20)], 'normal'],
  ])('is as bad as the memory is: %s', (_, ratios, expected) => {
    expect(levels(ratios).at(-1)).toBe(expected);
  });

  it('rises at once and never falls within a dwell after a change, nor by two steps, for any series', () => {
    fc.assert(
      fc.property(series, (ratios) => {
        let before: MemoryLevel = 'normal';
        let changedAt = -Infinity;
        levels(ratios).forEach((level, index) => {
          if (level === before) return;
          if (severity(level) < severity(before)) {
            expect((index - changedAt) * STEP_MS).toBeGreaterThanOrEqual(LIMITS.minDwellMs);
            expect(severity(before) - severity(level)).toBe(1);
          } else {
            expect(ratios[index]).toBeGreaterThanOrEqual(level === 'shed' ? 0.9 : 0.85);
          }
          before = level;
          changedAt = index;
        });
      }),
    );
  });

  it('is never too low: at 85 % nothing is normal, and what is shed for was at 90 %, for any series', () => {
    fc.assert(
      fc.property(series, (ratios) => {
        levels(ratios).forEach((level, index) => {
          if ((ratios[index] ?? 0) >= LIMITS.trimRatio) expect(level).not.toBe('normal');
          if (level === 'shed') expect(Math.max(...ratios.slice(0, index + 1))).toBeGreaterThanOrEqual(0.9);
        });
      }),
    );
  });

  it('does not flap: a ratio that swings by less than the gap changes each level once at most', () => {
    const swing = fc
      .double({ min: 0, max: 0.9, noNaN: true })
      .chain((low) =>
        fc.array(fc.double({ min: low, max: low + 0.099, noNaN: true }), { minLength: 2, maxLength: 50 }),
      );
    fc.assert(
      fc.property(swing, (ratios) => {
        const all = ['normal' as MemoryLevel, ...levels(ratios)];
        expect(all.filter((it, index) => index > 0 && it !== all[index - 1]).length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('recovers from any series once memory is free', () => {
    fc.assert(
      fc.property(series, (ratios) => {
        expect(levels([...ratios, ...repeat(0.5, 21)]).at(-1)).toBe('normal');
      }),
    );
  });

  it('ends shedding on a plateau that nothing frees, and sheds again above it', () => {
    const pressure = new MemoryPressure(LIMITS);
    const stuck = levels(repeat(0.92, 61), pressure);
    expect(stuck[59]).toBe('shed');
    expect(stuck[60]).toBe('trim');
    expect(pressure.sample(0.939, 62_000)).toBe('trim');
    expect(pressure.sample(0.941, 63_000)).toBe('shed');
  });

  it('goes on shedding while memory still grows, and where there is no room above the plateau', () => {
    expect(levels(Array.from({ length: 80 }, (_, second) => 0.9 + second * 0.001)).at(-1)).toBe('shed');
    expect(levels(repeat(0.985, 200)).at(-1)).toBe('shed');
  });
});
