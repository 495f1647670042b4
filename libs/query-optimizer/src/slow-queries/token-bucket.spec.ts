import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('gives so many at once, so many a minute, and keeps some back', () => {
    let now = 0;
    const bucket = new TokenBucket(6, 2, () => now);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
    now = 10_000;
    expect([bucket.take(1), bucket.take(), bucket.take()]).toEqual([false, true, false]);
    now = 3_600_000;
    expect([bucket.take(1), bucket.take(1), bucket.take()]).toEqual([true, false, true]);
  });
});
