import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const METRICS_KEY = 'k'.repeat(32);

/** What dashboards and alerts count on, of api and worker. */
const NAMES = [
  'ai_cache_hit_rate',
  'async_queue_size',
  'db_query_latency',
  'http_request_duration_seconds',
  'http_request_size_bytes',
  'http_response_size_bytes',
  'http_requests_in_flight',
  'nodejs_eventloop_delay_p99_seconds',
  'nodejs_eventloop_utilization_ratio',
  'nodejs_gc_duration_seconds',
  'nodejs_heap_space_size_used_bytes',
  'process_open_fds',
  'process_max_fds',
  'process_resident_memory_bytes',
];

interface SlowRequest {
  requestId: string;
  route: string;
  durationMs: number;
  phases: { name: string; durationMs: number }[];
  eventLoop: { lagP99Ms: number };
  details: { statements: { fingerprint: string; calls: number; totalMs: number }[] };
}

/** Phases of an answer in microseconds, by name. */
function phasesOf(headers: Headers): Record<string, number> {
  const entries = [...(headers.get('server-timing') ?? '').matchAll(/([\w.-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(entries.map(([, name, ms]) => [name ?? '', Math.round(Number(ms) * 1_000)]));
}

describe('figures of the platform', () => {
  let platform: Platform;
  let workspace: string;
  /** Where the figures of a process are, as its log says. */
  const metricsUrls: string[] = [];

  beforeAll(async () => {
    platform = await Platform.start({
      env: { METRICS_KEY, METRICS_PORT: '0', SLOW_REQUEST_MS: '1', LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
    });
    workspace = await platform.createWorkspace();
    await platform.upload(workspace, 'a.txt', 'hello');
    for (const process of [platform.api, ...platform.workers]) {
      const url = () => /Metrics on (http:\/\/[^\s"]+)/.exec(process.output)?.[1];
      await until(() => url() !== undefined);
      metricsUrls.push(url() ?? '');
    }
  }, 120_000);
  afterAll(() => platform?.stop());

  const scrape = (url: string, key?: string) =>
    fetch(url, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });

  it('are on a port of their own, for the key only: api and worker', async () => {
    expect(metricsUrls).toHaveLength(2);
    for (const url of metricsUrls) {
      expect((await scrape(url)).status).toBe(401);
      expect((await scrape(url, platform.adminKey)).status).toBe(401);
      const response = await scrape(url, METRICS_KEY);
      expect(response.status).toBe(200);
      const text = await response.text();
      for (const name of NAMES) expect(text).toContain(`# TYPE ${name} `);
    }
    // Assets are the api's.
    const [api = ''] = metricsUrls;
    expect(await (await scrape(api, METRICS_KEY)).text()).toContain('# TYPE cdn_cache_hit_ratio gauge');
    for (const url of [platform.url, ...platform.workerUrls]) {
      const { status, body } = await platform.request('GET', '/metrics', { url });
      expect(status).toBe(404);
      expect(JSON.stringify(body)).not.toContain('process_cpu');
    }
  });

  it('tell in Server-Timing where the time went, and never more than there was', async () => {
    const made = await platform.request('POST', '/workspaces', { body: { name: 'timed' } });
    const read = await platform.request('GET', `/workspaces/${workspace}/files`);
    for (const { status, headers } of [made, read]) {
      expect(status).toBeLessThan(300);
      const { total = 0, ...phases } = phasesOf(headers);
      expect(Object.keys(phases)).toEqual(expect.arrayContaining(['auth', 'handler', 'serialise']));
      const sum = Object.values(phases).reduce((all, it) => all + it, 0);
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThanOrEqual(total);
    }
    expect(phasesOf(made.headers)['database']).toBeGreaterThan(0);
    // A second process has none of it in memory, so it asks Redis.
    const sibling = await platform.spawn('api').listening();
    const elsewhere = await platform.request('GET', `/workspaces/${workspace}`, { url: sibling });
    expect(phasesOf(elsewhere.headers)['cache']).toBeGreaterThan(0);
  });

  it('have a log of slow requests with phases, loop and statements, under the id that the caller got', async () => {
    const requestId = 'slow-request-of-the-test';
    // Every request of this platform that takes a millisecond is slow; one with a transaction does.
    const slow = async () => {
      await platform.request('POST', '/workspaces', {
        body: { name: 'slow' },
        headers: { 'x-request-id': requestId },
      });
      return platform.api.output.includes('"slow request"') && reports().length > 0;
    };
    const reports = () =>
      platform.api.output
        .split('\n')
        .filter((it) => it.includes(requestId) && it.includes('slow request'))
        .map((it) => (JSON.parse(it) as { message: SlowRequest }).message);
    await until(slow);
    const [report] = reports();
    expect(report).toMatchObject({ requestId, route: '/api/v1/workspaces' });
    expect(report?.eventLoop.lagP99Ms).toBeGreaterThanOrEqual(0);
    expect(report?.phases.map((it) => it.name)).toEqual(expect.arrayContaining(['auth', 'database']));
    expect(report?.phases.reduce((sum, it) => sum + it.durationMs, 0)).toBeLessThanOrEqual(
      report?.durationMs ?? 0,
    );
    expect(report?.details.statements[0]).toEqual({
      fingerprint: expect.any(String),
      calls: expect.any(Number),
      totalMs: expect.any(Number),
    });
    expect(platform.api.output).not.toContain(platform.apiKey);
    expect(platform.api.output).not.toContain(METRICS_KEY);
  });
});
