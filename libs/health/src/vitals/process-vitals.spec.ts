import { afterEach, describe, expect, it } from '@jest/globals';
import { getHeapStatistics } from 'node:v8';
import { ProcessVitals } from './process-vitals.js';

const LIMITS = {
  loopDelayLimitMs: 1_000,
  heapLimitRatio: 0.98,
  livenessHoldMs: 10_000,
  sampleIntervalMs: 10,
};

let vitals: ProcessVitals | undefined;
afterEach(() => vitals?.stop());

describe('ProcessVitals', () => {
  it('calls the loop stalled only when every reading of the hold time was above the limit', () => {
    vitals = new ProcessVitals(LIMITS);
    for (let atMs = 0; atMs <= 9_000; atMs += 1_000) {
      vitals.sample({ loopDelayMs: 1_500, heapRatio: 0.1 }, atMs);
    }
    expect(vitals.loopStalled).toBe(false);
    vitals.sample({ loopDelayMs: 1_500, heapRatio: 0.1 }, 10_000);
    expect(vitals.loopStalled).toBe(true);
    expect(vitals.heapExhausted).toBe(false);
  });

  it('calls the heap exhausted when it stays within 2 % of its limit', () => {
    vitals = new ProcessVitals(LIMITS);
    vitals.sample({ loopDelayMs: 1, heapRatio: 0.99 }, 0);
    vitals.sample({ loopDelayMs: 1, heapRatio: 0.99 }, 10_000);
    expect(vitals.heapExhausted).toBe(true);
    expect(vitals.loopStalled).toBe(false);
  });

  it('measures this process', async () => {
    vitals = new ProcessVitals(LIMITS);
    vitals.start();
    const first = vitals.last?.atMs;
    while (vitals.last?.atMs === first) await new Promise((resolve) => setImmediate(resolve));
    expect(vitals.last?.loopDelayMs).toBeGreaterThanOrEqual(0);
    expect(vitals.last?.heapRatio).toBeGreaterThan(0);
    expect(vitals.last?.heapRatio).toBeLessThan(1);
  });

  it('takes the limit of the heap that it was given, below that of V8', () => {
    const { used_heap_size: used } = getHeapStatistics();
    vitals = new ProcessVitals({ ...LIMITS, heapLimitBytes: Math.floor(used / 2), livenessHoldMs: 0 });
    vitals.start();
    expect(vitals.last?.heapRatio).toBeGreaterThan(1);
    expect(vitals.heapExhausted).toBe(true);
  });
});
