import { describe, expect, it } from '@jest/globals';
import { MemoryTier } from '../memory-tier.js';

/** Repeatable pseudo-random numbers from 0 to below 1 (xorshift32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const times = (length: number, make: (i: number) => number) => Array.from({ length }, (_, i) => make(i));

/** Per cent. */
function hitRatio(requests: readonly number[], maxEntries: number): number {
  const tier = new MemoryTier<number>({ maxEntries, maxBytes: Infinity, weigh: () => 1 });
  let hits = 0;
  for (const request of requests) {
    const key = `key${request}`;
    if (tier.get(key) === undefined) tier.set(key, request);
    else hits++;
  }
  return (100 * hits) / requests.length;
}

function lruHitRatio(requests: readonly number[], maxEntries: number): number {
  const kept = new Set<number>();
  let hits = 0;
  for (const key of requests) {
    if (kept.delete(key)) hits++;
    kept.add(key);
    if (kept.size > maxEntries) kept.delete(kept.values().next().value!);
  }
  return (100 * hits) / requests.length;
}

const LOADS: Readonly<Record<string, () => number[]>> = {
  'each key again after a while, then once more after ages': () =>
    times(90_000, (i) => (i % 3 === 0 ? i : i % 3 === 1 ? i - 1 - 3 * 230 : i - 2 - 3 * 20_000)),
  'a window that moves on': () => {
    const random = randomFrom(1);
    return times(100_000, (i) => Math.floor(i / 4) + Math.floor(600 * random() ** 2));
  },
  'few keys often, and scans of keys that never come again': () => {
    const random = randomFrom(2);
    return times(100_000, (i) => (i % 6_000 < 3_000 ? Math.floor(5_000 * random() ** 4) : 1e6 + i));
  },
  'a moving window and a loop in turn': () => {
    const random = randomFrom(3);
    return times(120_000, (i) =>
      i % 20_000 < 10_000 ? 1e6 + Math.floor(i / 4) + Math.floor(300 * random()) : i % 700,
    );
  },
  'other favourites every while': () => {
    const random = randomFrom(4);
    return times(100_000, (i) => 1e5 * Math.floor(i / 8_000) + Math.floor(4_000 * random() ** 3));
  },
};

describe('AdaptivePolicy', () => {
  it.each(Object.keys(LOADS))('is nowhere more than a point under LRU: %s', (name) => {
    const requests = LOADS[name]!();
    for (const size of [1, 2, 10, 100, 500, 1_500]) {
      expect(hitRatio(requests, size)).toBeGreaterThan(lruHitRatio(requests, size) - 1);
    }
  });

  it('keeps part of a loop that is larger than the cache', () => {
    const requests = times(200_000, (i) => i % 1_011);
    expect(hitRatio(requests, 256)).toBeGreaterThan(23.5);
    expect(hitRatio(requests, 512)).toBeGreaterThan(48.5);
    expect(hitRatio(requests, 1_000)).toBeGreaterThan(95);
  });

  it('does not let scans push out what is in use', () => {
    const requests = LOADS['few keys often, and scans of keys that never come again']!();
    expect(hitRatio(requests, 500)).toBeGreaterThan(lruHitRatio(requests, 500) + 3);
  });
});
