import { describe, expect, it } from '@jest/globals';
import { SustainedLimit } from './sustained-limit.js';

describe('SustainedLimit', () => {
  it('is exceeded once the breach has lasted the hold time', () => {
    const limit = new SustainedLimit(100, 1_000);
    limit.sample(101, 0);
    limit.sample(500, 999);
    expect(limit.exceeded).toBe(false);
    limit.sample(101, 1_000);
    expect(limit.exceeded).toBe(true);
  });

  it('starts over after one value at the limit', () => {
    const limit = new SustainedLimit(100, 1_000);
    limit.sample(101, 0);
    limit.sample(100, 900);
    limit.sample(101, 1_000);
    limit.sample(101, 1_999);
    expect(limit.exceeded).toBe(false);
  });

  it('recovers with the first good value', () => {
    const limit = new SustainedLimit(100, 0);
    limit.sample(101, 0);
    expect(limit.exceeded).toBe(true);
    limit.sample(1, 1);
    expect(limit.exceeded).toBe(false);
  });
});
