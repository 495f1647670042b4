import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SlowRequestReport } from '../src/index.js';
import { type ParsedFamily } from './exposition-parser.js';
import { type MetricsApp, openStreams, startApp, until } from './metrics-app.js';

let app: MetricsApp | undefined;
afterEach(async () => {
  openStreams.splice(0).forEach((it) => it.destroy());
  await app?.close();
  app = undefined;
});

const start = async (...args: Parameters<typeof startApp>): Promise<MetricsApp> =>
  (app = await startApp(...args));

const RESPONSE_TIME = /^\d+\.\d{3}ms$/;
const TOTAL = /^total;dur=\d+\.\d{3}$/;
const TIMED = /^total;dur=\d+\.\d{3}(?:, (?:handler|serialise);dur=\d+\.\d{3})*$/;

/** Label sets of finished requests as `METHOD route status`, with their counts; the scrapes themselves left out. */
const requestsOf = (families: Map<string, ParsedFamily>): Record<string, number> =>
  Object.fromEntries(
    (families.get('http_requests_total')?.samples ?? [])
      .filter((it) => it.labels['route'] !== '/metrics')
      .map(({ labels, value }) => [`${labels['method']} ${labels['route']} ${labels['status']}`, value]),
  );

/** One raw request, for what fetch would never send. */
async function raw(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(request);
  let answer = '';
  socket.setEncoding('latin1').on('data', (it: string) => (answer += it));
  await once(socket, 'close');
  return answer;
}

describe('registerRequestTiming', () => {
  it.each([
    ['a found resource', 'GET', '/api/v1/things/7', 200, 'GET /api/v1/things/:id 2xx'],
    ['a created one', 'POST', '/api/v1/things', 201, 'POST /api/v1/things 2xx'],
    ['HEAD', 'HEAD', '/api/v1/things/7', 200, 'HEAD /api/v1/things/:id 2xx'],
    ['an unknown path', 'GET', '/api/v1/nothing/here', 404, 'GET unmatched 4xx'],
    ['an unknown method', 'DELETE', '/api/v1/things/7', 404, 'DELETE unmatched 4xx'],
    ['a thrown error', 'GET', '/api/v1/things/thrown', 500, 'GET /api/v1/things/thrown 5xx'],
    ['304', 'GET', '/api/v1/things/not-modified', 304, 'GET /api/v1/things/not-modified 3xx'],
    ['a stream', 'GET', '/api/v1/things/stream', 200, 'GET /api/v1/things/stream 2xx'],
    ['a malformed URL', 'GET', '/api/v1/things/%zz', 400, 'GET unmatched 4xx'],
    ['a parameter over the limit', 'GET', `/api/v1/things/${'x'.repeat(200)}`, 414, 'GET unmatched 4xx'],
  ])('times and counts %s', async (_, method, path, status, series) => {
    const { url, scrape } = await start();
    const response = await fetch(url + path, { method });
    await response.text();

    expect(response.status).toBe(status);
    expect(response.headers.get('x-response-time')).toMatch(RESPONSE_TIME);
    expect(response.headers.get('server-timing')).toMatch(TIMED);
    expect(requestsOf(await scrape())).toEqual({ [series]: 1 });
  });

  it('times and counts a CORS preflight, which an earlier hook answers', async () => {
    const { url, scrape } = await start();
    const response = await fetch(`${url}/api/v1/things`, {
      method: 'OPTIONS',
      headers: { Origin: 'http://elsewhere.test', 'Access-Control-Request-Method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('x-response-time')).toMatch(RESPONSE_TIME);
    expect(Object.values(requestsOf(await scrape()))).toEqual([1]);
  });

  it('adds the phases of a handler, and keeps a Server-Timing that is there already', async () => {
    const { url } = await start();
    const phases = await fetch(`${url}/api/v1/things/phases`);
    expect(phases.headers.get('server-timing')).toMatch(
      /^total;dur=[\d.]+, handler;dur=[\d.]+, auth;dur=1\.500;desc="key \\"x\\"", cache;dur=[\d.]+$/,
    );
    const own = await fetch(`${url}/api/v1/things/own-header`);
    expect(own.headers.get('server-timing')).toMatch(/^edge;dur=1, total;dur=[\d.]+, handler;dur=[\d.]+$/);
  });

  it('keeps the phases from clients on request', async () => {
    const { url } = await start({}, { exposePhases: false });
    const response = await fetch(`${url}/api/v1/things/phases`);
    expect(response.headers.get('server-timing')).toMatch(TOTAL);
  });

  it('counts a request whose client leaves as aborted, and forgets it in flight', async () => {
    const { url, metrics, scrape } = await start();
    const leaving = new AbortController();
    const response = await fetch(`${url}/api/v1/things/endless`, { signal: leaving.signal });
    expect(metrics.http.inFlight).toBe(1);
    leaving.abort();
    await expect(response.text()).rejects.toThrow();
    await until(() => metrics.http.inFlight === 0);
    expect(requestsOf(await scrape())).toEqual({ 'GET /api/v1/things/endless aborted': 1 });
  });

  it('counts a hijacked reply, though it cannot give it headers', async () => {
    const { url, metrics, scrape } = await start();
    const response = await fetch(`${url}/api/v1/things/hijacked`);
    expect(await response.text()).toBe('raw');
    expect(response.headers.has('x-response-time')).toBe(false);
    await until(() => metrics.http.inFlight === 0);
    expect(requestsOf(await scrape())).toEqual({ 'GET /api/v1/things/hijacked 2xx': 1 });
  });

  it('adds no label set for a thousand unknown paths, parameters and strange methods', async () => {
    const { url, metrics, scrape } = await start();
    for (let i = 0; i < 250; i++) {
      const paths = [`/x/${i}`, `/api/v1/things/${i}`, `/y?z=${i}`];
      await Promise.all(paths.map(async (it) => (await fetch(url + it)).text()));
      await raw(url, `PROPFIND /z/${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    }
    await until(() => metrics.http.inFlight === 0);
    expect(requestsOf(await scrape())).toEqual({
      'GET unmatched 4xx': 500,
      'GET /api/v1/things/:id 2xx': 250,
      'OTHER unmatched 4xx': 250,
    });
  });

  it('keeps every route of the application in view, however low the cap and however many paths are tried', async () => {
    const { url, metrics, scrape } = await start({ maxLabelSets: 1 });
    for (let i = 0; i < 50; i++) {
      await Promise.all([`/x/${i}`, `/api/v1/y/${i}`].map(async (it) => (await fetch(url + it)).text()));
    }
    for (const path of ['things/1', 'things/stream', 'things/phases', 'things/thrown'])
      await (await fetch(`${url}/api/v1/${path}`)).text();
    await until(() => metrics.http.inFlight === 0);
    const families = await scrape();
    expect(requestsOf(families)).toEqual({
      'GET unmatched 4xx': 100,
      'GET /api/v1/things/:id 2xx': 1,
      'GET /api/v1/things/stream 2xx': 1,
      'GET /api/v1/things/phases 2xx': 1,
      'GET /api/v1/things/thrown 5xx': 1,
    });
    expect(families.get('metrics_label_overflow_total')?.samples).toEqual([
      { name: 'metrics_label_overflow_total', labels: { metric: 'http_requests_total' }, value: 0 },
    ]);
  });

  it('knows the size of every body: announced, chunked in both directions, and none', async () => {
    const { url, metrics, scrape } = await start();
    const body = JSON.stringify({ text: 'x'.repeat(5_000) });
    const headers = { 'Content-Type': 'application/json' };
    await (await fetch(`${url}/api/v1/things`, { method: 'POST', body, headers })).text();
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    await raw(
      url,
      `POST /api/v1/things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n` +
        `Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}`,
    );
    await (await fetch(`${url}/api/v1/things/stream`)).text();
    await (await fetch(`${url}/api/v1/things/not-modified`)).text();
    await until(() => metrics.http.inFlight === 0);

    const families = await scrape();
    const sumOf = (family: string, route: string) =>
      families
        .get(family)
        ?.samples.filter((it) => it.labels['route'] === route && it.name.endsWith('_sum'))
        .map((it) => it.value);
    expect(sumOf('http_request_size_bytes', '/api/v1/things')).toEqual([2 * body.length]);
    expect(sumOf('http_response_size_bytes', '/api/v1/things')).toEqual([2 * '{"id":1}'.length]);
    expect(sumOf('http_request_size_bytes', '/api/v1/things/stream')).toEqual([0]);
    expect(sumOf('http_response_size_bytes', '/api/v1/things/stream')?.[0]).toBeGreaterThan('abc'.length);
    expect(sumOf('http_response_size_bytes', '/api/v1/things/not-modified')).toEqual([0]);
  });

  it('tells phases that sum up to no more than the total', async () => {
    const { url } = await start();
    for (const path of ['concurrent', '1', 'thrown', 'nothing/here']) {
      const response = await fetch(`${url}/api/v1/things/${path}`);
      await response.text();
      const [total, ...phases] = [
        ...(response.headers.get('server-timing') ?? '').matchAll(/;dur=([\d.]+)/g),
      ].map((it) => Math.round(Number(it[1]) * 1_000));
      expect(phases.length).toBeGreaterThan(0);
      expect(phases.reduce((sum, it) => sum + it, 0)).toBeLessThanOrEqual(total ?? 0);
    }
  });

  it('reports a request above the bound with its route, status, phases and id, and no other', async () => {
    const reports: SlowRequestReport[] = [];
    const time = { ms: 0 };
    const { url, metrics } = await start(
      { slowRequestMs: 60_000 },
      {
        now: () => time.ms,
        onSlowRequest: (it) => void reports.push(it),
        describe: ({ url }) => ({ url }),
      },
    );
    await (await fetch(`${url}/api/v1/things/1`)).text();
    const response = await fetch(`${url}/api/v1/things/endless?secret=1`);
    time.ms += 61_000;
    openStreams[0]?.push(null);
    await response.text();
    await until(() => metrics.http.inFlight === 0);

    expect(reports).toEqual([
      {
        requestId: expect.any(String),
        method: 'GET',
        route: '/api/v1/things/endless',
        statusCode: 200,
        aborted: false,
        durationMs: expect.any(Number),
        phases: [{ name: 'handler', durationMs: 0 }],
        eventLoop: {
          lagMeanMs: expect.any(Number),
          lagP99Ms: expect.any(Number),
          lagMaxMs: expect.any(Number),
          utilization: expect.any(Number),
        },
        details: { url: '/api/v1/things/endless?secret=1' },
      },
    ]);
    expect(reports[0]?.durationMs).toBeGreaterThanOrEqual(61_000);
    expect(metrics.snapshot().requests.slow).toBe(1);
  });

  it('answers as ever when the report of a slow request throws', async () => {
    const { url, metrics } = await start(
      {},
      {
        slowRequestMs: 0.000001,
        onSlowRequest: () => {
          throw new Error('no');
        },
      },
    );
    expect((await fetch(`${url}/api/v1/things/1`)).status).toBe(200);
    await until(() => metrics.http.inFlight === 0);
    expect(metrics.http.slow).toBe(1);
  });
});
