import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { type MetricSource, MetricsModule, MetricsOptionsError, MetricsService } from '../src/index.js';
import { parseExposition } from './exposition-parser.js';
import { type MetricsApp, startApp, until } from './metrics-app.js';

let app: MetricsApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const start = async (...args: Parameters<typeof startApp>): Promise<MetricsApp> =>
  (app = await startApp(...args));

const queue: MetricSource = {
  name: 'queue',
  collect: () => [
    {
      name: 'async_queue_size',
      help: 'Tasks that wait\nby "class"',
      type: 'gauge',
      samples: [
        { labels: { class: 'a"b\\c\nd' }, value: 3 },
        { labels: { class: 'none' }, value: Number.NaN },
      ],
    },
    {
      name: 'db_query_latency',
      help: 'Seconds',
      type: 'histogram',
      samples: [
        { suffix: '_bucket', labels: { le: '0.1' }, value: 4 },
        { suffix: '_bucket', labels: { le: '+Inf' }, value: 5 },
        { suffix: '_sum', value: 1.5 },
        { suffix: '_count', value: 5 },
      ],
    },
  ],
};

describe('the scrape endpoint', () => {
  it('serves a valid exposition outside the global prefix: HTTP, process and sources, with the default labels', async () => {
    const { url } = await start({ sources: [queue], defaultLabels: { app: 'api' } });
    await (await fetch(`${url}/api/v1/things/1`)).text();
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');

    const families = parseExposition(await response.text());
    expect(families.get('async_queue_size')?.samples).toEqual([
      { name: 'async_queue_size', labels: { class: 'a"b\\c\nd', app: 'api' }, value: 3 },
      { name: 'async_queue_size', labels: { class: 'none', app: 'api' }, value: Number.NaN },
    ]);
    expect(
      families.get('db_query_latency')?.samples.map((it) => [it.name, it.labels['le'], it.value]),
    ).toEqual([
      ['db_query_latency_bucket', '0.1', 4],
      ['db_query_latency_bucket', '+Inf', 5],
      ['db_query_latency_sum', undefined, 1.5],
      ['db_query_latency_count', undefined, 5],
    ]);
    expect(families.get('http_requests_in_flight')?.samples[0]?.value).toBe(1);
    expect([...families.keys()]).toEqual(
      expect.arrayContaining([
        'process_cpu_seconds_total',
        'nodejs_eventloop_lag_p99_seconds',
        'http_requests_total',
      ]),
    );
    for (const { samples } of families.values()) {
      for (const { labels } of samples) expect(labels['app']).toBe('api');
    }
    expect((await fetch(`${url}/api/v1/metrics`)).status).toBe(404);
  });

  it('stays whole when a source throws, hangs, or repeats a name of the registry, and counts them', async () => {
    const { scrape, metrics } = await start({ sourceTimeoutMs: 20, sources: [queue] });
    metrics.register({ name: 'throws', collect: () => Promise.reject(new Error('down')) });
    metrics.register({ name: 'hangs', collect: () => new Promise(() => undefined) });
    metrics.register({
      name: 'repeats',
      collect: () => [
        { name: 'http_request_duration_seconds_sum', help: '', type: 'counter', samples: [{ value: 1 }] },
        { name: 'http_requests_total', help: '', type: 'counter', samples: [{ value: 1 }] },
      ],
    });
    const families = await scrape();
    expect(families.has('async_queue_size')).toBe(true);
    expect(
      families.get('metrics_source_errors_total')?.samples.map((it) => [it.labels['source'], it.value]),
    ).toEqual([
      ['throws', 1],
      ['hangs', 1],
      ['repeats', 1],
    ]);
  });

  it('collects once for scrapes at the same time', async () => {
    let collected = 0;
    const { scrape } = await start({
      sources: [
        {
          name: 'counted',
          collect: async () => {
            collected++;
            await new Promise(setImmediate);
            return [];
          },
        },
      ],
    });
    const { metrics } = app as MetricsApp;
    const [first, second] = await Promise.all([metrics.text(), metrics.text()]);
    expect(first).toBe(second);
    expect(collected).toBe(1);
    await scrape();
    expect(collected).toBe(2);
  });

  it('lives at another path, or nowhere', async () => {
    const moved = await start({ path: 'internal/figures' });
    expect((await fetch(`${moved.url}/api/v1/internal/figures`)).status).toBe(200);
    expect((await fetch(`${moved.url}/metrics`)).status).toBe(404);
    await moved.close();
    const { url } = await start({ path: false });
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it('keeps two registries of one process apart', async () => {
    const other = await startApp();
    try {
      const { url, scrape } = await start();
      await (await fetch(`${url}/api/v1/things/1`)).text();
      expect((await scrape()).get('http_requests_total')?.samples).toHaveLength(1);
      expect((await other.scrape()).get('http_requests_total')?.samples ?? []).toHaveLength(0);
    } finally {
      await other.close();
    }
  });
});

describe('MetricsService.snapshot', () => {
  it('gives plain numbers that survive JSON, with words and a sentence', async () => {
    const { url, metrics } = await start();
    for (let i = 0; i < 30; i++) await (await fetch(`${url}/api/v1/things/thrown`)).text();
    await until(() => metrics.http.inFlight === 0);
    const snapshot = metrics.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.requests).toMatchObject({ total: 30, inFlight: 0, recent: { count: 30, errorRate: 1 } });
    const { p50Ms, p95Ms, p99Ms } = snapshot.requests.recent;
    expect(p50Ms).toBeGreaterThan(0);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms as number);
    expect(p99Ms).toBeGreaterThanOrEqual(p95Ms as number);
    expect(snapshot.memory.rssBytes).toBeGreaterThan(0);
    expect(snapshot.status.errors).toBe('critical');
    expect(snapshot.recommendation).not.toBe('');
  });
});

describe('MetricsModule', () => {
  it('takes its options from a factory and is global on request', async () => {
    const module = await Test.createTestingModule({
      imports: [
        MetricsModule.forRootAsync({
          isGlobal: true,
          path: false,
          useFactory: () => ({ slowRequestMs: 42 }),
        }),
      ],
    }).compile();
    expect(module.get(MetricsService).options.slowRequestMs).toBe(42);
    await module.close();
  });

  it('ends start-up at a wrong option', async () => {
    const compiling = Test.createTestingModule({
      imports: [MetricsModule.forRoot({ slowRequestMs: -5 })],
    }).compile();
    await expect(compiling).rejects.toThrow(MetricsOptionsError);
  });
});
