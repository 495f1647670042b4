import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpInstruments } from '../http/http-instruments.js';
import { quantileMs, RequestWindow } from './request-window.js';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

const makeWindow = () => {
  const http = new HttpInstruments(10);
  const slot = http.slotOf('GET', '/a');
  const time = { ms: 0 };
  const window = new RequestWindow(
    () => http.totals(),
    () => time.ms,
  );
  stops.push(() => window.stop());
  const minute = (): void => {
    time.ms += 60_000;
    window.advance();
  };
  return { http, slot, window, time, minute };
};

describe('RequestWindow', () => {
  it('knows nothing before the first request', () => {
    const { window } = makeWindow();
    expect(window.read()).toEqual({
      windowSeconds: 0,
      count: 0,
      errorRate: 0,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
    });
  });

  it('forgets an outage after five minutes', () => {
    const { http, slot, window, minute } = makeWindow();
    for (let i = 0; i < 4; i++) http.observe(slot, { statusCode: 500, aborted: false, seconds: 9 });
    http.observe(slot, { statusCode: 200, aborted: false, seconds: 0.001 });
    expect(window.read()).toMatchObject({ count: 5, errorRate: 0.8 });
    for (let i = 0; i < 4; i++) minute();
    expect(window.read()).toMatchObject({ windowSeconds: 240, count: 5, errorRate: 0.8 });
    minute();
    http.observe(slot, { statusCode: 200, aborted: false, seconds: 0.001 });
    const { windowSeconds, count, errorRate, p99Ms } = window.read();
    expect({ windowSeconds, count, errorRate }).toEqual({ windowSeconds: 240, count: 1, errorRate: 0 });
    expect(p99Ms).toBeLessThanOrEqual(1);
  });
});

describe('quantileMs', () => {
  const buckets = (counts: Record<number, number>): number[] =>
    Array.from({ length: 15 }, (_, i) => counts[i] ?? 0);

  it('interpolates within the bucket, as Prometheus does', () => {
    // Ten requests between 10 ms and 25 ms: the bucket at index 4.
    expect(quantileMs(buckets({ 4: 10 }), 0.5)).toBeCloseTo(17.5);
    expect(quantileMs(buckets({ 0: 5, 4: 5 }), 0.5)).toBeCloseTo(1);
    expect(quantileMs(buckets({ 0: 90, 9: 10 }), 0.95)).toBeCloseTo(400);
  });

  it('says the highest bound for what lies above it, and null for nothing', () => {
    expect(quantileMs(buckets({ 14: 3 }), 0.99)).toBe(10_000);
    expect(quantileMs(buckets({}), 0.5)).toBeNull();
  });
});
