import { describe, expect, it } from '@jest/globals';

import { Recorder } from './recorder.ts';

describe('Recorder', () => {
  it('keeps percentiles of what was answered, and errors apart from them', () => {
    const recorder = new Recorder();
    for (let ms = 1; ms <= 100; ms++) recorder.record('read', ms * 20, ms, null);
    recorder.record('search', 2_500, 9_999, 'HTTP 503');
    const { requests, errors, errorRate, p50Ms, p95Ms } = recorder.total;
    expect({ requests, errors, errorRate }).toEqual({ requests: 101, errors: 1, errorRate: 1 / 101 });
    expect(p50Ms).toBeCloseTo(50, 0);
    expect(p95Ms).toBeCloseTo(95, 0);
    expect(recorder.byAction.search).toMatchObject({ requests: 1, errors: 1, p95Ms: null });
    expect(Object.keys(recorder.byAction)).toEqual(['read', 'search']);
    expect(recorder.errorKinds).toEqual({ 'HTTP 503': 1 });
    expect(recorder.timeline(4).map((it) => it.requests)).toEqual([49, 50, 2, 0]);
  });
});
