import { describe, expect, it } from '@jest/globals';
import { type PageLine } from '../exposition/page-family.js';
import { renderPage } from '../exposition/render-page.js';
import { Slices } from '../exposition/slices.js';
import { LATENCY_BUCKETS_SECONDS, SIZE_BUCKETS_BYTES } from './buckets.js';
import { HttpInstruments } from './http-instruments.js';

const ok = { statusCode: 200, aborted: false, seconds: 0.01 };

const linesOf = (http: HttpInstruments, name: string): PageLine[] =>
  http
    .families()
    .filter((it) => it.name === name)
    .flatMap(({ groups }) => [...groups].flat());

/** `method route status` with its count. */
const requestsOf = (http: HttpInstruments): Record<string, number> =>
  Object.fromEntries(
    linesOf(http, 'http_requests_total').map(({ labels, value }) => [
      `${labels['method']} ${labels['route']} ${labels['status']}`,
      value,
    ]),
  );

describe('HttpInstruments', () => {
  it('counts a request in the bucket whose bound it does not exceed', () => {
    const http = new HttpInstruments(10);
    const slot = http.slotOf('GET', '/files/:id');
    http.observe(slot, { ...ok, seconds: 0.1 });
    http.observe(slot, { ...ok, statusCode: 204, seconds: 0.1001 });
    http.observe(slot, { ...ok, seconds: 99 });

    const lines = linesOf(http, 'http_request_duration_seconds');
    const bucket = (le: string) => lines.find((it) => it.le === le)?.value;
    expect(['0.05', '0.1', '0.2', '10', '+Inf'].map(bucket)).toEqual([0, 1, 2, 2, 3]);
    expect(lines.find((it) => it.suffix === '_sum')?.value).toBeCloseTo(99.2001);
    expect(lines).toHaveLength(LATENCY_BUCKETS_SECONDS.length + 3);
  });

  it('keeps one series for each method, route and status class', () => {
    const http = new HttpInstruments(10);
    const slot = http.slotOf('GET', '/a');
    http.observe(slot, ok);
    http.observe(slot, { ...ok, statusCode: 201 });
    http.observe(slot, { ...ok, statusCode: 404 });
    http.observe(slot, { ...ok, aborted: true });
    http.observe(http.slotOf('POST', '/a'), ok);
    expect(requestsOf(http)).toEqual({
      'GET /a 2xx': 2,
      'GET /a 4xx': 1,
      'GET /a aborted': 1,
      'POST /a 2xx': 1,
    });
  });

  it('keeps sizes by method and route, and leaves out those that nobody knows', () => {
    const http = new HttpInstruments(10);
    const slot = http.slotOf('PUT', '/a');
    http.observe(slot, { ...ok, requestBytes: 1_024, responseBytes: 0 });
    http.observe(slot, { ...ok, statusCode: 404, requestBytes: 1_025 });
    const counts = (name: string) => linesOf(http, name).map((it) => [it.le ?? it.suffix, it.value]);
    expect(counts('http_request_size_bytes')).toEqual([
      ...SIZE_BUCKETS_BYTES.map((it) => [String(it), it < 1_024 ? 0 : it === 1_024 ? 1 : 2]),
      ['+Inf', 2],
      ['_sum', 2_049],
      ['_count', 2],
    ]);
    expect(counts('http_response_size_bytes').at(-1)).toEqual(['_count', 1]);
    expect(linesOf(http, 'http_request_size_bytes')[0]?.labels).toEqual({ method: 'PUT', route: '/a' });
  });

  it('gives the same slot for the same route and never makes a label of an invented method', () => {
    const http = new HttpInstruments(10);
    expect(http.slotOf('GET', '/a')).toBe(http.slotOf('GET', '/a'));
    expect(http.slotOf('PROPFIND', undefined)).toBe(http.slotOf('MKCOL', undefined));
  });

  it('folds label sets above the cap into the overflow series, counts them and loses no request', () => {
    const http = new HttpInstruments(3);
    for (let i = 0; i < 50; i++) http.observe(http.slotOf('GET', `/route-${i}`), ok);
    http.observe(http.slotOf('GET', '/route-0'), { ...ok, statusCode: 500 });

    expect(http.overflowed).toBe(48);
    expect(http.totals()).toMatchObject({ count: 51, serverErrors: 1 });
    expect(requestsOf(http)).toEqual({
      '__overflow__ __overflow__ 2xx': 47,
      '__overflow__ __overflow__ 5xx': 1,
      'GET /route-0 2xx': 1,
      'GET /route-1 2xx': 1,
      'GET /route-2 2xx': 1,
    });
  });

  it('counts a status outside 100 to 599 as a server error', () => {
    const http = new HttpInstruments(3);
    http.observe(http.slotOf('GET', '/a'), { ...ok, statusCode: 999 });
    expect(http.totals().serverErrors).toBe(1);
  });

  it('keeps a place for routes of the application, whatever came before them', () => {
    const http = new HttpInstruments(2);
    const early = http.slotOf('GET', '/early');
    http.observe(early, ok);
    for (let i = 0; i < 20; i++) http.observe(http.slotOf('GET', `/other-${i}`), ok);
    for (const route of ['/early', '/late']) http.reserve('GET', route);
    for (const statusCode of [200, 304, 404, 500]) {
      http.observe(early, { ...ok, statusCode });
      http.observe(http.slotOf('GET', '/late'), { ...ok, statusCode });
    }
    expect(requestsOf(http)).toMatchObject({
      'GET /early 2xx': 2,
      'GET /early 3xx': 1,
      'GET /early 4xx': 1,
      'GET /early 5xx': 1,
      'GET /late 2xx': 1,
      'GET /late 3xx': 1,
      'GET /late 4xx': 1,
      'GET /late 5xx': 1,
    });
    expect(http.overflowed).toBe(19);
  });

  it('stays as large as it was under 100,000 paths and methods, with the known routes in view', () => {
    const http = new HttpInstruments(1_000);
    http.reserve('GET', '/known/:id');
    const attack = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const slot = http.slotOf(i % 2 === 0 ? 'GET' : `METHOD${i}`, `/path/${i}`);
        http.observe(slot, { ...ok, statusCode: 404, requestBytes: i, responseBytes: i });
      }
    };
    attack(0, 2_000);
    const before = { bytes: http.bytes, labelSets: http.labelSets };
    attack(2_000, 100_000);
    for (const statusCode of [200, 404, 500])
      http.observe(http.slotOf('GET', '/known/7'.replace('7', ':id')), { ...ok, statusCode });

    // Three rows of the known route; their room was there before.
    expect({ bytes: http.bytes, labelSets: http.labelSets }).toEqual({
      ...before,
      labelSets: before.labelSets + 3,
    });
    expect(before.labelSets).toBeLessThan(1_100);
    expect(http.totals().count).toBe(100_003);
    expect(http.overflowed).toBe(99_000);
    expect(requestsOf(http)).toMatchObject({
      'GET /known/:id 2xx': 1,
      'GET /known/:id 4xx': 1,
      'GET /known/:id 5xx': 1,
      '__overflow__ __overflow__ 4xx': 99_000,
    });
  });

  it('never renders more than a slice and one label set in one go, however large the page', async () => {
    const http = new HttpInstruments(20_000);
    for (let i = 0; i < 20_000; i++) {
      http.observe(http.slotOf('GET', `/path/${i}`), { ...ok, requestBytes: i, responseBytes: i });
    }
    const slices = new Slices(500);
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const chunks = await renderPage(http.families(), { app: 'api' }, slices, 'prometheus');
    isDone = true;
    slices.end();

    const { rows, longestRows } = slices.figures();
    const perSet = LATENCY_BUCKETS_SECONDS.length + 3 + 1 + 2 * (SIZE_BUCKETS_BYTES.length + 3);
    expect(rows).toBe(20_000 * perSet + 2);
    expect(longestRows).toBeLessThan(500 + LATENCY_BUCKETS_SECONDS.length + 3);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(rows / (500 + 17)));
    expect(chunks.map(String).join('').split('\n')).toHaveLength(rows + 6 * 2 + 1);
  });
});
