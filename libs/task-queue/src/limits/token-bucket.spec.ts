import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BucketState, giveBack, pause, take, type TakeRequest } from './token-bucket.js';

const ALWAYS = 1e15;

interface Grant {
  readonly atUs: number;
  readonly cost: number;
}

/** A bucket with a clock of its own. */
class Bucket {
  state: BucketState | undefined;
  nowUs = 1_000_000;
  readonly grants: Grant[] = [];

  constructor(
    readonly ratePerSecond: number,
    readonly burst: number,
  ) {}

  take(cost: number, slotUs = 0, maxWaitUs = ALWAYS) {
    const request: TakeRequest = { ...this, cost, slotUs, maxWaitUs };
    const { state, answer } = take(this.state, request, this.nowUs);
    this.state = state;
    if (answer.granted) this.grants.push({ atUs: this.nowUs, cost });
    return answer;
  }

  /** What was granted in the fullest window above the bound, in tokens. */
  excess(): number {
    let worst = -Infinity;
    for (const [first, { atUs: fromUs }] of this.grants.entries()) {
      let tokens = 0;
      for (const { atUs, cost } of this.grants.slice(first)) {
        tokens += cost;
        worst = Math.max(worst, tokens - this.burst - ((atUs - fromUs) * this.ratePerSecond) / 1e6);
      }
    }
    return worst;
  }
}

const limit = fc.record({
  ratePerSecond: fc.oneof(
    fc.integer({ min: 1, max: 100_000 }),
    fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  ),
  burst: fc.integer({ min: 1, max: 50 }),
});

const evenLimit = fc.record({
  ratePerSecond: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 2, max: 50 }),
});

/** What may happen to a bucket; times in thousandths of the time in which it fills. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('new' as const), cost: fc.integer({ min: 1, max: 50 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('back' as const), which: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), share: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('giveBack' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), share: fc.nat(1_500) }) },
);

describe('a token bucket', () => {
  it('grants no more than burst and rate allow in any window, whoever comes back late, early or never', () => {
    fc.assert(
      fc.property(limit, fc.array(step, { maxLength: 150 }), ({ ratePerSecond, burst }, steps) => {
        const bucket = new Bucket(ratePerSecond, burst);
        const waiting: { slotUs: number; cost: number }[] = [];
        const shareUs = (share: number) => Math.ceil((share / 1_000) * ((burst * 1e6) / ratePerSecond));
        let pausedUntilUs = 0;
        const ask = (cost: number, slotUs: number) => {
          const answer = bucket.take(cost, slotUs);
          if (answer.granted) expect(bucket.nowUs).toBeGreaterThanOrEqual(pausedUntilUs);
          else waiting.push({ slotUs: answer.slotUs, cost });
        };
        for (const it of steps) {
          if (it.kind === 'new') ask(Math.min(it.cost, burst), 0);
          else if (it.kind === 'time') bucket.nowUs += shareUs(it.share);
          else if (it.kind === 'pause') {
            bucket.state = pause(bucket.state, shareUs(it.share), bucket.nowUs);
            pausedUntilUs = Math.max(pausedUntilUs, bucket.nowUs + shareUs(it.share));
          } else {
            const [one] = waiting.splice(it.which % Math.max(waiting.length, 1), 1);
            if (one && it.kind === 'back') ask(one.cost, one.slotUs);
            else if (one && bucket.state) bucket.state = giveBack(bucket.state, one.cost);
          }
        }
        expect(bucket.excess()).toBeLessThan(1e-3);
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers as the virtual scheduling algorithm does', () => {
    const intervalUs = fc.integer({ min: 1, max: 1_000 });
    const asks = fc.array(fc.record({ afterUs: fc.nat(2_000), cost: fc.integer({ min: 1, max: 5 }) }));
    fc.assert(
      fc.property(intervalUs, fc.integer({ min: 5, max: 20 }), asks, (interval, burst, all) => {
        const bucket = new Bucket(1e6 / interval, burst);
        let arrivalUs = 0;
        for (const { afterUs, cost } of all) {
          bucket.nowUs += afterUs;
          const next = Math.max(arrivalUs, bucket.nowUs) + cost * interval;
          const conforms = next - burst * interval <= bucket.nowUs;
          const answer = bucket.take(cost, 0, 0);
          // Levels are fractions of tokens, so the two may differ by a microsecond at the very edge.
          const edge = Math.abs(next - burst * interval - bucket.nowUs) <= 1;
          if (answer.granted !== conforms) expect(edge).toBe(true);
          if (answer.granted) arrivalUs = next;
        }
      }),
    );
  });

  it('keeps its promises: who comes back in time passes, in the order of asking, if the burst makes up for a microsecond', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(
        evenLimit,
        costs,
        fc.array(fc.nat(3_000), { maxLength: 100 }),
        ({ ratePerSecond, burst }, all, gaps) => {
          const bucket = new Bucket(ratePerSecond, burst);
          const waiting: { slotUs: number; cost: number }[] = [];
          const comeBackUntil = (untilUs: number) => {
            while (waiting[0] && waiting[0].slotUs <= untilUs) {
              const { slotUs, cost } = waiting.shift()!;
              bucket.nowUs = Math.max(bucket.nowUs, slotUs);
              expect(bucket.take(cost, slotUs).granted).toBe(true);
            }
            bucket.nowUs = Math.max(bucket.nowUs, untilUs);
          };
          for (const [index, wanted] of all.entries()) {
            comeBackUntil(bucket.nowUs + (gaps[index] ?? 0));
            const cost = Math.min(wanted, Math.floor(burst / 2));
            const answer = bucket.take(cost);
            if (answer.granted) expect(waiting).toEqual([]);
            else waiting.push({ slotUs: answer.slotUs, cost });
          }
          expect(waiting.map((it) => it.slotUs)).toEqual(
            waiting.map((it) => it.slotUs).sort((a, b) => a - b),
          );
          comeBackUntil(Number.MAX_SAFE_INTEGER);
          expect(bucket.grants).toHaveLength(all.length);
          expect(bucket.excess()).toBeLessThan(1e-3);
        },
      ),
    );
  });

  it('says exactly when it will have enough', () => {
    fc.assert(
      fc.property(limit, fc.integer({ min: 1, max: 50 }), ({ ratePerSecond, burst }, wanted) => {
        const bucket = new Bucket(ratePerSecond, burst);
        const cost = Math.min(wanted, burst);
        bucket.take(burst);
        const { slotUs } = bucket.take(cost, 0, 0);
        expect(slotUs).toBe(bucket.nowUs + Math.ceil((cost * 1e6) / ratePerSecond));
        const beforeUs = bucket.nowUs + Math.floor(0.999 * (slotUs - bucket.nowUs)) - 1;
        if (beforeUs > bucket.nowUs) {
          bucket.nowUs = beforeUs;
          expect(bucket.take(cost, 0, 0).granted).toBe(false);
        }
        bucket.nowUs = slotUs;
        expect(bucket.take(cost, 0, 0).granted).toBe(true);
      }),
    );
  });

  it('gives a thousand who all return an hour late new slots instead of letting them through at once', () => {
    const bucket = new Bucket(100, 10);
    const slots = Array.from({ length: 1_010 }, () => bucket.take(1)).filter((it) => !it.granted);
    expect(slots).toHaveLength(1_000);
    bucket.nowUs += 3_600_000_000;
    const late = slots.map(({ slotUs }) => bucket.take(1, slotUs));
    expect(late.filter((it) => it.granted)).toHaveLength(10);
    expect(new Set(late.map((it) => it.slotUs)).size).toBe(991);
    expect(late.at(-1)!.slotUs - bucket.nowUs).toBe(9_900_000);
  });
});
