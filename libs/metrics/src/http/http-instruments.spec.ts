import { describe, expect, it } from '@jest/globals';
import { HttpInstruments, LATENCY_BUCKETS_SECONDS } from './http-instruments.js';

describe('HttpInstruments', () => {
  it('counts a request in the bucket whose bound it does not exceed', () => {
    const http = new HttpInstruments(10);
    const slot = http.slotOf('GET', '/files/:id');
    http.observe(slot, 200, false, 0.1);
    http.observe(slot, 204, false, 0.1001);
    http.observe(slot, 200, false, 99);

    const { values } = http.renderDuration();
    const bucket = (le: number | string): number | undefined =>
      values.find((it) => it.metricName?.endsWith('_bucket') && it.labels['le'] === le)?.value;
    expect([bucket(0.05), bucket(0.1), bucket(0.2), bucket(10), bucket('+Inf')]).toEqual([0, 1, 2, 2, 3]);
    expect(values.find((it) => it.metricName?.endsWith('_sum'))?.value).toBeCloseTo(99.2001);
    expect(values).toHaveLength(LATENCY_BUCKETS_SECONDS.length + 3);
  });

  it('keeps one series for each method, route and status class', () => {
    const http = new HttpInstruments(10);
    const slot = http.slotOf('GET', '/a');
    http.observe(slot, 200, false, 0.01);
    http.observe(slot, 201, false, 0.01);
    http.observe(slot, 404, false, 0.01);
    http.observe(slot, 200, true, 0.01);
    http.observe(http.slotOf('POST', '/a'), 200, false, 0.01);

    const rows = http
      .renderRequests()
      .values.map((it) => [it.labels['method'], it.labels['status'], it.value]);
    expect(rows).toEqual([
      ['GET', '2xx', 2],
      ['GET', '4xx', 1],
      ['GET', 'aborted', 1],
      ['POST', '2xx', 1],
    ]);
  });

  it('gives the same slot for the same route and never makes a label of an invented method', () => {
    const http = new HttpInstruments(10);
    expect(http.slotOf('GET', '/a')).toBe(http.slotOf('GET', '/a'));
    expect(http.slotOf('PROPFIND', undefined)).toBe(http.slotOf('MKCOL', undefined));
  });

  it('folds label sets above the cap into the overflow series, counts them and loses no request', () => {
    const http = new HttpInstruments(3);
    for (let i = 0; i < 50; i++) http.observe(http.slotOf('GET', `/route-${i}`), 200, false, 0.01);
    http.observe(http.slotOf('GET', '/route-0'), 500, false, 0.01);

    expect(http.labelSets).toBe(3);
    expect(http.overflowed).toBe(48);
    expect(http.totals()).toMatchObject({ count: 51, serverErrors: 1 });
    const overflow = http.renderRequests().values.filter((it) => it.labels['route'] === '__overflow__');
    expect(overflow).toEqual([
      { labels: { method: '__overflow__', route: '__overflow__', status: '2xx' }, value: 47 },
      { labels: { method: '__overflow__', route: '__overflow__', status: '5xx' }, value: 1 },
    ]);
  });

  it('counts a status outside 100 to 599 as a server error', () => {
    const http = new HttpInstruments(3);
    http.observe(http.slotOf('GET', '/a'), 999, false, 0.01);
    expect(http.totals().serverErrors).toBe(1);
  });
});
