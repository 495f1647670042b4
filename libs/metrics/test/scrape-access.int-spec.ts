import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listenForScrapes, MetricsListenerError, type ScrapeListenerOptions } from '../src/index.js';
import { parseExposition } from './exposition-parser.js';
import { type MetricsApp, startApp } from './metrics-app.js';

const KEY = 'a-key-for-the-metrics';
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).reverse()) await it.close();
});

async function start(...args: Parameters<typeof startApp>): Promise<MetricsApp> {
  const app = await startApp(...args);
  open.push(app);
  return app;
}

async function listen(options: Partial<ScrapeListenerOptions> = {}) {
  const { metrics } = await start({ path: false });
  const listener = await listenForScrapes(metrics, { port: 0, ...options });
  open.push(listener);
  return { metrics, listener };
}

const authorization = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

describe('the scrape endpoint', () => {
  it('asks for the key when there is one, and takes no other', async () => {
    const { url } = await start({ accessKey: KEY });
    const statuses = [];
    for (const init of [{}, authorization('wrong'), authorization(`${KEY}x`), authorization(KEY.slice(1))]) {
      statuses.push((await fetch(`${url}/metrics`, init)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401]);
    const response = await fetch(`${url}/metrics`, authorization(KEY));
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
    expect(parseExposition(text).has('http_requests_total')).toBe(true);
    expect(text).not.toContain(KEY);
  });

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])(
    'is for this machine only without a key: a caller behind a proxy (%s) gets nothing',
    async (header) => {
      const { url } = await start();
      expect((await fetch(`${url}/metrics`)).status).toBe(200);
      const response = await fetch(`${url}/metrics`, { headers: { [header]: '10.0.0.1' } });
      expect(response.status).toBe(403);
      expect(await response.text()).not.toContain('http_requests_total');
    },
  );

  it('is for all when the application says so', async () => {
    const { url } = await start({ localOnly: false });
    const response = await fetch(`${url}/metrics`, { headers: { via: '1.1 proxy' } });
    expect(response.status).toBe(200);
    await response.text();
  });
});

describe('listenForScrapes', () => {
  it('serves the figures on a port of their own, and nothing else', async () => {
    const { listener } = await listen();
    const response = await fetch(listener.url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parseExposition(await response.text()).has('process_cpu_seconds_total')).toBe(true);

    const head = await fetch(listener.url, { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length')) > 0]).toEqual([200, true]);
    const refused = await Promise.all([
      fetch(new URL('/', listener.url)),
      fetch(`${listener.url}/x`),
      fetch(listener.url, { method: 'POST' }),
    ]);
    expect(refused.map((it) => it.status)).toEqual([404, 404, 405]);
    expect(refused.map((it) => it.headers.get('content-type'))).toEqual(
      Array.from({ length: 3 }, () => 'application/problem+json'),
    );
    for (const it of refused) expect(await it.json()).toMatchObject({ status: it.status });
  });

  it('asks for the key when there is one', async () => {
    const { listener } = await listen({ key: KEY, path: '/internal' });
    const refused = await fetch(listener.url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refused.text()).not.toContain(KEY);
    const response = await fetch(listener.url, authorization(KEY));
    expect(response.status).toBe(200);
    await response.text();
  });

  it('says which port is taken', async () => {
    const { metrics } = await listen();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(listenForScrapes(metrics, { port })).rejects.toThrow(MetricsListenerError);
    taken.close();
    await once(taken, 'close');
  });

  it('tells in how large slices the page before was made', async () => {
    const { metrics, listener } = await listen();
    for (let i = 0; i < 1_000; i++) {
      const slot = metrics.http.slotOf('GET', `/route-${i}`);
      metrics.http.observe(slot, { statusCode: 200, aborted: false, seconds: 1, responseBytes: i });
    }
    await (await fetch(listener.url)).text();
    const families = parseExposition(await (await fetch(listener.url)).text());
    const value = (name: string) => families.get(name)?.samples[0]?.value ?? Number.NaN;
    expect(value('metrics_scrape_rows')).toBeGreaterThan(29_000);
    expect(value('metrics_scrape_longest_slice_rows')).toBeLessThan(600);
    expect(value('metrics_scrape_longest_slice_seconds')).toBeGreaterThan(0);
  });
});
