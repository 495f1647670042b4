import { describe, expect, it } from '@jest/globals';
import { Cusum } from './cusum.js';
import { seededRandom } from './seeded-random.js';

function normal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe('Cusum', () => {
  it('is alarmed once at most by 100,000 errors that are as usual', () => {
    const error = normal(1);
    const cusum = new Cusum();
    let alarms = 0;
    for (let run = 0; run < 100_000; run++) if (cusum.add(0.4 * error(), 0.4)) alarms++;
    expect(alarms).toBeLessThanOrEqual(1);
  });

  it.each([2, -2])(
    'notices within 20 that all takes %d deviations more, by how much, and since when',
    (factor) => {
      const error = normal(2);
      const cusum = new Cusum();
      for (let run = 0; run < 500; run++) cusum.add(0.4 * error(), 0.4);
      for (let run = 1; run <= 20; run++) {
        const change = cusum.add(0.4 * (error() + factor), 0.4);
        if (!change) continue;
        expect(change.shift / 0.4).toBeCloseTo(factor, 0);
        expect(Math.abs(change.count - run)).toBeLessThan(5);
        expect(cusum.value).toBe(0);
        return;
      }
      throw new Error('it was not noticed');
    },
  );

  it('is not alarmed by two runs that hung', () => {
    const cusum = new Cusum();
    expect(cusum.add(50, 0.4)).toBeUndefined();
    expect(cusum.add(50, 0.4)).toBeUndefined();
  });
});
