import { describe, expect, it } from '@jest/globals';
import { FrequencySketch } from './frequency-sketch.js';
import { hashOf } from './key-hash.js';

const hashes = Array.from({ length: 500 }, (_, i) => hashOf(`key${i}`));

describe('FrequencySketch', () => {
  it('never forgets before it ages, not when it grows either', () => {
    const sketch = new FrequencySketch(100);
    hashes.forEach((hash, i) => sketch.raise(hash, i % 16));
    sketch.ensure(10_000);
    hashes.forEach((hash, i) => expect(sketch.estimate(hash)).toBeGreaterThanOrEqual(i % 16));
  });

  it('knows little of what it was not told', () => {
    const sketch = new FrequencySketch(500);
    for (const hash of hashes) sketch.raise(hash, 15);
    const strangers = Array.from({ length: 1_000 }, (_, i) => sketch.estimate(hashOf(`stranger${i}`)));
    expect(strangers.filter((count) => count > 0).length).toBeLessThan(30);
  });

  it('halves everything in steps', () => {
    const sketch = new FrequencySketch(100_000);
    for (const hash of hashes) sketch.raise(hash, 8);
    let steps = 1;
    while (!sketch.ageStep()) steps++;
    expect(steps).toBe(sketch.bytes / 4 / 16_384);
    for (const hash of hashes) expect(sketch.estimate(hash)).toBe(4);
  });
});
