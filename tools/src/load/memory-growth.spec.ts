import { describe, expect, it } from '@jest/globals';

import { growthOf, type MemorySample } from './memory-growth.ts';

const MEBIBYTE = 2 ** 20;
const samples = (bytes: (seconds: number) => number): MemorySample[] =>
  Array.from({ length: 300 }, (_, index) => {
    const seconds = index * 2;
    return { seconds, rssBytes: 200 * MEBIBYTE, heapBytes: index === 0 ? null : bytes(seconds) };
  });

describe('growthOf', () => {
  it('calls a leak of a mebibyte a minute rising, and says how fast', () => {
    const growth = growthOf(
      'api',
      'heap',
      samples((it) => (100 + it / 60) * MEBIBYTE),
      120,
    );
    expect(growth?.isFlat).toBe(false);
    expect(growth?.bytesPerMinute).toBeCloseTo(MEBIBYTE, -3);
    expect(growth?.growthRatio).toBeCloseTo(0.076, 2);
  });

  it('leaves the warm-up out', () => {
    const growth = growthOf(
      'api',
      'heap',
      samples((it) => Math.min(it, 110) * MEBIBYTE),
      120,
    );
    expect(growth).toMatchObject({ isFlat: true, bytesPerMinute: 0, medianBytes: 110 * MEBIBYTE });
  });

  it('calls a saw flat, and what grows less than a twentieth', () => {
    expect(
      growthOf(
        'api',
        'heap',
        samples((it) => (100 + (it % 40)) * MEBIBYTE),
        120,
      )?.isFlat,
    ).toBe(true);
    expect(
      growthOf(
        'api',
        'heap',
        samples((it) => (100 + it / 200) * MEBIBYTE),
        120,
      )?.isFlat,
    ).toBe(true);
    expect(
      growthOf(
        'api',
        'rss',
        samples(() => 0),
        120,
      )?.isFlat,
    ).toBe(true);
  });

  it('says nothing where nothing was measured', () => {
    expect(
      growthOf(
        'api',
        'heap',
        samples(() => 1),
        10_000,
      ),
    ).toBeUndefined();
  });
});
