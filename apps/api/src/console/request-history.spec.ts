import { describe, expect, it } from '@jest/globals';
import { MetricsService, parseMetricsOptions } from '@peregrine/metrics';
import { RequestHistory } from './request-history.js';

function setUp() {
  const metrics = new MetricsService(parseMetricsOptions({ processMetrics: false }));
  metrics.onApplicationShutdown();
  const slot = metrics.http.slotOf('GET', '/files/:id');
  const request = (status = 200, seconds = 0.004) =>
    metrics.http.observe(slot, { statusCode: status, aborted: false, seconds });
  return { metrics, request, history: new RequestHistory(metrics) };
}

describe('the history of requests', () => {
  it('has the step that runs from the first request on', () => {
    const { history, request } = setUp();
    request();
    request(500);
    expect(history.history()).toEqual({ stepSeconds: 5, perSecond: [0.4], errors: [1] });
    expect(history.routes()).toMatchObject([
      { method: 'GET', route: '/files/:id', requests: 2, errorRate: 0.5, steps: [2] },
    ]);
  });

  it('keeps what came in each step, also of a route that came later', () => {
    const { history, request, metrics } = setUp();
    request();
    history.advance();
    metrics.http.observe(metrics.http.slotOf('PUT', '/late'), {
      statusCode: 204,
      aborted: false,
      seconds: 2,
    });
    history.advance();
    request();
    request();
    expect(history.routes().map(({ route, steps }) => [route, steps])).toEqual([
      ['/files/:id', [1, 0, 2]],
      ['/late', [0, 1, 0]],
    ]);
    expect(history.history().perSecond).toEqual([0.2, 0.2, 0.4]);
    expect(history.routes()[1]?.p95Ms).toBeGreaterThan(1_000);
  });

  it('forgets what is older than five minutes, in bounded memory', () => {
    const { history, request } = setUp();
    request();
    for (let step = 0; step < 200; step++) history.advance();
    expect(history.routes()).toEqual([]);
    expect(history.history().perSecond).toHaveLength(60);
    request();
    expect(history.routes()[0]?.steps).toHaveLength(60);
  });

  it('leaves out the console: looking must not make the picture', () => {
    const { history, request, metrics } = setUp();
    const slot = metrics.http.slotOf('GET', '/console/api/session');
    metrics.http.observe(slot, { statusCode: 500, aborted: false, seconds: 1 });
    request();
    expect(history.history()).toMatchObject({ perSecond: [0.2], errors: [0] });
    expect(history.routes().map(({ route }) => route)).toEqual(['/files/:id']);
  });

  it('shows the busiest ten routes', () => {
    const { history, metrics } = setUp();
    for (let route = 0; route < 300; route++) {
      const slot = metrics.http.slotOf('GET', `/${route}`);
      for (let count = 0; count <= route % 15; count++)
        metrics.http.observe(slot, { statusCode: 200, aborted: false, seconds: 0.01 });
    }
    history.advance();
    const requests = history.routes().map((it) => it.requests);
    expect(requests).toEqual(new Array(10).fill(15));
  });
});
