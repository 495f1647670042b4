import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AdaptiveLimit } from './adaptive-limit.js';

interface Running {
  readonly startMs: number;
  readonly endMs: number;
  readonly inFlight: number;
}

/** A service that works on `capacity` requests at once; what else it was given waits inside it. */
class SimulatedService {
  nowMs = 0;
  readonly limit: AdaptiveLimit;
  inFlight = 0;
  readonly #free: number[];
  readonly #running: Running[] = [];

  constructor(
    readonly capacity: number,
    range: { min: number; max: number },
  ) {
    this.limit = new AdaptiveLimit(range, () => this.nowMs);
    this.#free = Array<number>(capacity).fill(0);
  }

  /** Requests come evenly; each takes `serviceMs` of one place. */
  run(seconds: number, { perSecond, serviceMs }: { perSecond: number; serviceMs: number }) {
    const result = { admitted: 0, shed: 0, finished: 0, latencies: [] as number[], limits: [] as number[] };
    const endMs = this.nowMs + seconds * 1_000;
    const everyMs = 1_000 / perSecond;
    for (let at = this.nowMs + everyMs; at <= endMs; at += everyMs) {
      this.#finishUntil(at, result.latencies);
      this.nowMs = at;
      result.limits.push(this.limit.limit);
      if (this.inFlight >= this.limit.limit) {
        result.shed++;
        continue;
      }
      result.admitted++;
      this.inFlight++;
      const place = this.#free.indexOf(Math.min(...this.#free));
      const doneMs = Math.max(at, this.#free[place] ?? 0) + serviceMs;
      this.#free[place] = doneMs;
      this.#running.push({ endMs: doneMs, startMs: at, inFlight: this.inFlight });
    }
    result.finished = result.latencies.length;
    return result;
  }

  #finishUntil(at: number, latencies: number[]): void {
    this.#running.sort((a, b) => a.endMs - b.endMs);
    const still = this.#running.findIndex((it) => it.endMs > at);
    for (const { endMs, startMs, inFlight } of this.#running.splice(0, still < 0 ? Infinity : still)) {
      this.nowMs = endMs;
      this.inFlight--;
      latencies.push(endMs - startMs);
      this.limit.sample('GET /', endMs - startMs, inFlight);
    }
  }
}

const average = (values: number[]): number => values.reduce((sum, it) => sum + it, 0) / values.length;

describe('the limit of requests at once', () => {
  it('comes near what the service can do, keeps it busy, and stays so through a lasting overload', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 40 }),
        fc.integer({ min: 40, max: 200 }),
        fc.integer({ min: 2, max: 5 }),
        (capacity, serviceMs, overload) => {
          const service = new SimulatedService(capacity, { min: 2, max: 300 });
          const most = (capacity / serviceMs) * 1_000;
          service.run(20, { perSecond: most * 0.4, serviceMs });
          service.run(90, { perSecond: most * overload, serviceMs });
          const { finished, limits, latencies } = service.run(20, { perSecond: most * overload, serviceMs });
          // Goodput is what it can do, and nobody waits for long inside.
          expect(finished).toBeGreaterThan(most * 20 * 0.9);
          expect(average(limits)).toBeGreaterThanOrEqual(capacity * 0.9);
          expect(average(limits)).toBeLessThan(capacity * 4 + 20);
          expect(average(latencies)).toBeLessThan(serviceMs * 4 + (20 * serviceMs) / capacity);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('falls while everything is slow, not below its minimum, and comes back afterwards', () => {
    const service = new SimulatedService(20, { min: 5, max: 200 });
    service.run(60, { perSecond: 100, serviceMs: 60 });
    const slow = service.run(60, { perSecond: 300, serviceMs: 1_200 });
    expect(Math.min(...slow.limits)).toBeLessThan(40);
    expect(Math.min(...slow.limits)).toBeGreaterThanOrEqual(5);
    expect(slow.finished).toBeGreaterThan(0);
    const after = service.run(300, { perSecond: 250, serviceMs: 60 });
    const { shed, admitted } = service.run(60, { perSecond: 250, serviceMs: 60 });
    expect(after.limits.at(-1)).toBeGreaterThan(20);
    expect(shed / (shed + admitted)).toBeLessThan(0.01);
  });

  it('is never out of its range, whatever comes', () => {
    const sample = fc.record({
      kind: fc.constantFrom('a', 'b', 'c'),
      durationMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
      inFlight: fc.integer({ min: 1, max: 5_000 }),
      laterMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 500 }), (samples) => {
        let nowMs = 0;
        const limit = new AdaptiveLimit({ min: 3, max: 70 }, () => nowMs);
        for (const { kind, durationMs, inFlight, laterMs } of samples) {
          nowMs += laterMs;
          limit.sample(kind, durationMs, inFlight);
          expect(limit.limit).toBeGreaterThanOrEqual(3);
          expect(limit.limit).toBeLessThanOrEqual(70);
        }
      }),
    );
  });

  it('takes another mix of slow and fast kinds for no congestion', () => {
    let nowMs = 0;
    const limit = new AdaptiveLimit({ min: 2, max: 50 }, () => nowMs);
    const send = (kind: string, durationMs: number, inFlight: number) => {
      nowMs += 25;
      limit.sample(kind, durationMs, inFlight);
    };
    for (let turn = 0; turn < 1_000; turn++)
      send(turn % 10 === 0 ? 'slow' : 'fast', turn % 10 === 0 ? 900 : 5, 10);
    for (let turn = 0; turn < 1_000; turn++) send('slow', 900, 45);
    expect(limit.limit).toBe(50);
    for (let turn = 0; turn < 1_000; turn++) send('slow', 9_000, 45);
    expect(limit.limit).toBeLessThan(25);
  });
});
