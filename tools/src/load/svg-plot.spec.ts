import { describe, expect, it } from '@jest/globals';

import { renderPlot } from './svg-plot.ts';

describe('renderPlot', () => {
  const svg = renderPlot({
    title: 'Time <of> answers',
    unit: 'ms',
    curves: [{ name: 'p95 & more', color: '#c33', values: [1, null, 3, 7] }],
  });

  it('draws a curve with its gaps, on an axis that ends at a round number', () => {
    expect(svg.match(/<path d="([^"]*)"/)?.[1]?.replaceAll(/[\d. ]+/g, '')).toBe('MhMhL');
    expect(svg).toContain('>10</text>');
    expect(svg).not.toContain('NaN');
  });

  it('escapes what it is told', () => {
    expect(svg).toContain('Time &lt;of> answers');
    expect(svg).toContain('p95 &amp; more');
  });

  it('draws something where nothing was measured', () => {
    expect(
      renderPlot({ title: '', unit: '', curves: [{ name: '', color: '#c33', values: [] }] }),
    ).not.toContain('NaN');
  });
});
