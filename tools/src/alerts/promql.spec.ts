import { describe, expect, it } from '@jest/globals';

import { metricsOf, selectorsOf } from './promql.ts';

describe('metricsOf', () => {
  it('finds metrics among functions, groupings, labels, durations and words', () => {
    const expression = `histogram_quantile(0.95, sum by (job, le) (rate(a_bucket{route!~"x|y{z}",status="5xx"}[5m]))) > 0.2e3
and on (job) max without (instance) (b_total offset 5m) unless c or vector(0) > bool 1`;
    expect(metricsOf(expression)).toEqual(['a_bucket', 'b_total', 'c']);
  });

  it('does not take a string for a metric', () => {
    expect(metricsOf('label_replace(absent(a{job=~"api"}), "metric", "b", "", "")')).toEqual(['a']);
  });
});

describe('selectorsOf', () => {
  it('says which labels have to equal what', () => {
    expect(selectorsOf('a{state="in use",route!="x",job=~"y"} / b')).toEqual([
      { metric: 'a', equals: { state: 'in use' } },
      { metric: 'b', equals: {} },
    ]);
  });
});
