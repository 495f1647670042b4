import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KnownBearers } from './known-bearers.js';

describe('what is remembered of bearers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is forgotten after a minute, whatever came since', () => {
    const bearers = new KnownBearers<number>();
    bearers.add('Bearer a', 1);
    jest.advanceTimersByTime(59_999);
    bearers.add('Bearer b', 2);
    expect([bearers.get('Bearer a'), bearers.get('Bearer b')]).toEqual([1, 2]);
    jest.advanceTimersByTime(1);
    expect([bearers.get('Bearer a'), bearers.get('Bearer b')]).toEqual([undefined, undefined]);
    bearers.add('Bearer a', 3);
    jest.advanceTimersByTime(60_000);
    expect(bearers.get('Bearer a')).toBeUndefined();
  });

  it('is nothing of a header that no key needs', () => {
    const bearers = new KnownBearers<number>();
    const padded = `Bearer ${' '.repeat(250)}a`;
    bearers.add(padded, 1);
    expect(bearers.get(padded)).toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has an end, and no second timer', () => {
    const bearers = new KnownBearers<number>();
    for (let i = 0; i <= 10_000; i++) bearers.add(`Bearer ${i}`, i);
    expect(bearers.get('Bearer 0')).toBeUndefined();
    expect(bearers.get('Bearer 10000')).toBe(10_000);
    expect(jest.getTimerCount()).toBe(1);
  });
});
