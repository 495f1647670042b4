import { describe, expect, it } from '@jest/globals';
import { Histogram } from './histogram.js';

describe('Histogram', () => {
  it('counts what is at most each bound', () => {
    const histogram = new Histogram([1, 2.5]);
    for (const it of [0.5, 1, 2, 3]) histogram.add(it);
    expect(histogram.family('name', 'help').samples).toEqual([
      { suffix: '_bucket', labels: { le: '1' }, value: 2 },
      { suffix: '_bucket', labels: { le: '2.5' }, value: 3 },
      { suffix: '_bucket', labels: { le: '+Inf' }, value: 4 },
      { suffix: '_sum', value: 6.5 },
      { suffix: '_count', value: 4 },
    ]);
  });
});
