import { describe, expect, it } from '@jest/globals';
import { hitRatiosOf } from './hit-ratio.ts';
import { renderHitRatioPlot } from './hit-ratio-plot.ts';
import { loopTrace, web07Trace } from './traces.ts';

const byPolicy = (cells: ReturnType<typeof hitRatiosOf>, size: number) =>
  Object.fromEntries(cells.filter((it) => it.size === size).map((it) => [it.policy, it.hitRatio]));

describe('hit ratio', () => {
  it('is over those of LRU and SIEVE on requests of a web page', async () => {
    const trace = await web07Trace();
    const cells = hitRatiosOf(trace, ['peregrine', 'lru-cache', 'sieve-cache']);
    for (const size of trace.sizes) {
      const ratios = byPolicy(cells, size);
      expect(ratios['peregrine']).toBeGreaterThan(ratios['lru-cache']! + 2.5);
      expect(ratios['peregrine']).toBeGreaterThan(ratios['sieve-cache']!);
    }
  });

  it('is near the optimum on a loop, where LRU has no hit', () => {
    const trace = loopTrace();
    const cells = hitRatiosOf(trace, ['peregrine', 'lru-cache', 'Belady']);
    for (const size of trace.sizes) {
      const ratios = byPolicy(cells, size);
      expect(ratios['lru-cache']).toBe(0);
      expect(ratios['peregrine']).toBeGreaterThan(ratios['Belady']! - 1.5);
    }
  });

  it('is the same in each run', () => {
    const trace = { ...loopTrace(), sizes: [256] };
    expect(hitRatiosOf(trace, ['peregrine'])).toEqual(hitRatiosOf(trace, ['peregrine']));
  });
});

describe('renderHitRatioPlot', () => {
  it('draws a panel for each trace and names every policy', () => {
    const cells = ['a', 'b'].flatMap((trace) =>
      [10, 100].map((size) => ({ policy: 'peregrine' as const, trace, size, hitRatio: 50 })),
    );
    const svg = renderHitRatioPlot({ cells });
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).toContain('lru-cache');
    expect(svg).not.toContain('NaN');
  });
});
