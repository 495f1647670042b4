import { describe, expect, it } from '@jest/globals';
import { retryDelayMs } from './retry-delay.js';

const error = new Error('why');
const bounds = { jitter: 0, maxDelayMs: 86_400_000 };

describe('the delay before another attempt', () => {
  it('doubles with every failed attempt when it is exponential', () => {
    const backoff = { ...bounds, type: 'exponential', delayMs: 100 } as const;
    expect([1, 2, 3, 4].map((failed) => retryDelayMs(backoff, failed, error))).toEqual([100, 200, 400, 800]);
  });

  it('stays when it is fixed', () => {
    const backoff = { ...bounds, type: 'fixed', delayMs: 100 } as const;
    expect([1, 2, 9].map((failed) => retryDelayMs(backoff, failed, error))).toEqual([100, 100, 100]);
  });

  it('is shortened by at most the jitter', () => {
    const backoff = { ...bounds, type: 'fixed', delayMs: 100, jitter: 0.5 } as const;
    expect(retryDelayMs(backoff, 1, error, 0)).toBe(100);
    expect(retryDelayMs(backoff, 1, error, 0.999)).toBe(50);
  });

  it('never exceeds a day', () => {
    const backoff = { ...bounds, type: 'exponential', delayMs: 1_000 } as const;
    expect(retryDelayMs(backoff, 99, error)).toBe(86_400_000);
  });

  it('never exceeds its ceiling', () => {
    const backoff = { type: 'exponential', delayMs: 1_000, jitter: 0, maxDelayMs: 3_000 } as const;
    expect([1, 2, 3].map((failed) => retryDelayMs(backoff, failed, error))).toEqual([1_000, 2_000, 3_000]);
  });

  it.each([
    ['a number', (failed: number) => failed * 10.5, 21],
    ['the error', (_failed: number, it: Error) => it.message.length, 3],
    ['nonsense', () => NaN, 0],
    ['a negative number', () => -5, 0],
    ['too much', () => Infinity, 86_400_000],
    [
      'an exception',
      () => {
        throw error;
      },
      1_000,
    ],
  ])('follows a function that answers with %s', (_what, delayMs, expected) => {
    expect(retryDelayMs({ ...bounds, type: 'custom', delayMs }, 2, error)).toBe(expected);
  });
});
