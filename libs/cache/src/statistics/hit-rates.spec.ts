import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../testing/fake-clock.js';
import { NamespaceCounters } from './counters.js';
import { HitRates } from './hit-rates.js';

const MINUTE_MS = 60_000;

describe('HitRates', () => {
  let clock: FakeClock;
  let counters: Map<string, NamespaceCounters>;
  let rates: HitRates;
  const read = (name: string, hits: number, misses: number) => {
    const it = counters.get(name)!;
    it.memoryHits += hits;
    it.memoryMisses += misses;
  };
  beforeEach(() => {
    clock = new FakeClock();
    counters = new Map(['content', 'search'].map((name) => [name, new NamespaceCounters()]));
    rates = new HitRates(counters, clock);
    rates.open();
  });

  it('knows nothing before the first read, and all reads of a young process', () => {
    expect(rates.recent()).toEqual({ oneMinute: null, fiveMinutes: null, fifteenMinutes: null });
    read('content', 3, 1);
    expect(rates.recent()).toEqual({ oneMinute: 0.75, fiveMinutes: 0.75, fifteenMinutes: 0.75 });
  });

  it('forgets what is older than its windows', () => {
    read('content', 0, 100);
    clock.advance(10 * MINUTE_MS);
    read('content', 100, 0);
    clock.advance(2 * MINUTE_MS);
    read('content', 50, 50);
    expect(rates.recent('content')).toEqual({ oneMinute: 0.5, fiveMinutes: 0.75, fifteenMinutes: 0.5 });
    clock.advance(2 * MINUTE_MS);
    expect(rates.recent('content')).toEqual({ oneMinute: null, fiveMinutes: 0.75, fifteenMinutes: 0.5 });
    clock.advance(60 * MINUTE_MS);
    expect(rates.recent('content').fifteenMinutes).toBeNull();
  });

  it('counts a hit of any tier once', () => {
    const it = counters.get('content')!;
    Object.assign(it, { memoryHits: 1, memoryMisses: 4, redisHits: 1, redisMisses: 3, objectHits: 1 });
    expect(rates.recent('content').oneMinute).toBeCloseTo(3 / 5);
  });

  it('tells namespaces apart, sums them up, and knows those that came later', () => {
    read('content', 1, 0);
    read('search', 0, 1);
    clock.advance(30_000);
    counters.set('late', new NamespaceCounters());
    read('late', 2, 0);
    expect(rates.recent('content').oneMinute).toBe(1);
    expect(rates.recent('late').oneMinute).toBe(1);
    expect(rates.recent('nowhere').oneMinute).toBeNull();
    expect(rates.recent().oneMinute).toBe(0.75);
  });

  it('is right after a wait without samples, as when the process was stopped', () => {
    read('content', 0, 10);
    rates.close();
    clock.advance(20 * MINUTE_MS);
    expect(rates.recent().fifteenMinutes).toBe(0);
    clock.advance(MINUTE_MS + 5_000);
    read('content', 5, 0);
    expect(rates.recent().oneMinute).toBe(1);
  });

  it('leaves no timer behind when it is closed', () => {
    clock.advance(MINUTE_MS);
    rates.open();
    expect(clock.pendingTimers).toBe(1);
    rates.close();
    rates.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
