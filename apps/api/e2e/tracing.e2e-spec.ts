import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { loadedBy } from './support/loaded-modules.js';
import { Platform } from './support/platform.js';
import { type CollectedSpan, SpanCollector } from './support/span-collector.js';
import { until } from './support/until.js';

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

const TOKEN = 'a-token-of-the-end-to-end-tests';
const FILES = '/api/v1/workspaces/:workspaceId/files';

/** A caller that has a trace of its own. */
function callersTrace(sampled: boolean) {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, header: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` };
}

/** What a cache in front of the api is told: only its headers are of interest here. */
async function startEdge(): Promise<{ url: string; traces: Set<string>; server: Server }> {
  const traces = new Set<string>();
  const server = createServer((request, response) => {
    const [, traceId = ''] = String(request.headers['traceparent']).split('-');
    traces.add(traceId);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, traces, server };
}

describe.each([
  ['on Redis', true],
  ['on PostgreSQL', false],
])('a trace across api, queue and worker, %s,', (_, redis) => {
  let collector: SpanCollector;
  let edge: Awaited<ReturnType<typeof startEdge>>;
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    [collector, edge] = await Promise.all([SpanCollector.start(), startEdge()]);
    platform = await Platform.start({
      redis,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        CDN_PROVIDER: 'http-purge',
        CDN_SERVER_URLS: edge.url,
        CDN_API_TOKEN: TOKEN,
      },
    });
    workspace = await platform.createWorkspace();
  });
  afterAll(async () => {
    await platform?.stop();
    collector?.stop();
    edge?.server.close();
  });

  const upload = (path: string, traceparent: string) =>
    platform.request('PUT', `/workspaces/${workspace}/files/${path}`, {
      body: 'a text with the word confidential-7261',
      headers: { 'content-type': 'text/plain', traceparent },
    });
  const isProcessed = ({ name }: CollectedSpan) => name === 'process content.extract-text';

  it('goes on with the caller, and leads from the request to what its tasks did', async () => {
    const caller = callersTrace(true);
    expect((await upload('a.txt', caller.header)).status).toBe(201);
    const trace = () => collector.ofTrace(caller.traceId);
    await until(() => trace().some(isProcessed));
    await until(() => trace().some((it) => it.name.startsWith('PUT ')));

    const [request] = trace().filter((it) => it.parentId === caller.spanId);
    expect(request).toMatchObject({
      service: 'peregrine-api',
      name: `PUT ${FILES}/*`,
      attributes: {
        'http.request.method': 'PUT',
        'http.route': `${FILES}/*`,
        'http.response.status_code': 201,
      },
    });
    const [attempt] = trace().filter(isProcessed);
    expect(attempt).toMatchObject({ service: 'peregrine-worker', scope: '@peregrine/task-queue' });
    const way = collector.ancestorsOf(attempt as CollectedSpan).map((it) => [it.service, it.name]);
    expect(way[0]).toEqual(['peregrine-api', `PUT ${FILES}/*`]);
    expect(way.at(-1)).toEqual(['peregrine-api', 'submit content.extract-text']);
  });

  it('has purges in the trace of the request that had them sent, of several the first', async () => {
    const purge = () => collector.spans.find((it) => it.name === 'purge http-purge' && leadsToRequest(it));
    const leadsToRequest = (span: CollectedSpan) =>
      /^[A-Z]+ \//.test(collector.ancestorsOf(span)[0]?.name ?? '');
    await upload('purged.txt', callersTrace(true).header);
    await until(() => purge() !== undefined);
    expect(purge()).toMatchObject({
      service: 'peregrine-worker',
      scope: '@peregrine/cdn',
      attributes: { 'peregrine.purge.provider': 'http-purge', 'peregrine.purge.kind': 'everything' },
    });
    expect(edge.traces).toContain(purge()?.traceId);
  });

  it('links a batch to the attempts in it, and has its statements below it', async () => {
    const caller = callersTrace(true);
    await upload('b.txt', caller.header);
    const attempt = () => collector.ofTrace(caller.traceId).find(isProcessed);
    const batch = () =>
      collector.spans.find(({ links }) => links.some((it) => it.spanId === attempt()?.spanId));
    await until(() => batch() !== undefined);
    expect(batch()).toMatchObject({ name: 'process batch content.extract-text', parentId: '' });
    const below = () => collector.ofTrace(batch()?.traceId ?? '').filter((it) => it !== batch());
    await until(() => below().some((it) => it.scope === '@peregrine/query-optimizer'));
    // A span is sent when it has ended: after those below it.
    await until(() => below().every((it) => collector.ancestorsOf(it)[0] === batch()));
  });

  it('has statements with fingerprints and without values, and cache looks without keys', async () => {
    const caller = callersTrace(true);
    // A worker's sibling of the api has nothing in memory.
    const sibling = await platform.spawn('api').listening();
    // And finds nothing in Redis.
    await platform.request('POST', '/meta/cache/flush', { key: platform.adminKey });
    await platform.request('GET', `/workspaces/${workspace}/files?limit=7`, {
      url: sibling,
      headers: { traceparent: caller.header },
    });
    const trace = () => collector.ofTrace(caller.traceId);
    await until(() => trace().some((it) => it.name === `GET ${FILES}`));
    // A statement may have had to wait for its connection, which is a span of its own.
    const statements = trace().filter(
      (it) => it.scope === '@peregrine/query-optimizer' && it.name !== 'wait for a connection',
    );
    expect(statements.length).toBeGreaterThan(0);
    for (const { attributes } of statements) {
      expect(attributes).toMatchObject({
        'db.system.name': 'postgresql',
        'peregrine.query.fingerprint': expect.stringMatching(/^[0-9a-f]{16}$/),
      });
    }
    const caches = trace().filter((it) => it.scope === '@peregrine/cache');
    expect(caches.map((it) => it.name)).toEqual(expect.arrayContaining(['cache load']));
    if (redis) expect(caches.map((it) => it.name)).toContain('cache read');
    const sent = collector.received.toString('latin1');
    for (const secret of [platform.apiKey, platform.adminKey, TOKEN, 'confidential-7261', workspace]) {
      expect(sent).not.toContain(secret);
    }
  });

  it('is told with a problem, so that its reader can ask for it', async () => {
    const caller = callersTrace(true);
    const { status, body } = await platform.request('GET', `/workspaces/${workspace}/files?limit=nine`, {
      headers: { traceparent: caller.header },
    });
    expect(status).toBe(400);
    expect(body.traceId).toBe(caller.traceId);
  });

  it('is not kept where the caller does not keep it, in no process', async () => {
    const [dropped, kept] = [callersTrace(false), callersTrace(true)];
    await upload('dropped.txt', dropped.header);
    await platform.extracted(workspace);
    await upload('kept.txt', kept.header);
    // Spans leave in the order of their end.
    await until(() => collector.ofTrace(kept.traceId).some(isProcessed));
    expect(collector.ofTrace(dropped.traceId)).toEqual([]);
  });

  it('has no probes in it, and loses nothing at the end', async () => {
    const sibling = platform.spawn('api', { OTEL_BSP_SCHEDULE_DELAY: '3600000' });
    const url = await sibling.listening();
    expect((await platform.request('GET', '/health/live', { url })).status).toBe(200);
    const caller = callersTrace(true);
    await platform.request('GET', `/workspaces/${workspace}`, {
      url,
      headers: { traceparent: caller.header },
    });
    expect(collector.ofTrace(caller.traceId)).toEqual([]);
    expect(await sibling.stop()).toMatchObject({ code: 0 });
    expect(collector.ofTrace(caller.traceId).map((it) => it.name)).toContain(
      'GET /api/v1/workspaces/:workspaceId',
    );
    expect(collector.spans.filter((it) => it.name.includes('health'))).toEqual([]);
  });
});

describe('a service whose collector is away', () => {
  it('answers, says so once, and ends in time', async () => {
    const away = await SpanCollector.start();
    const url = away.url;
    away.stop();
    const platform = await Platform.start({
      redis: false,
      workers: 0,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_TIMEOUT: '200',
        OTEL_BSP_SCHEDULE_DELAY: '20',
        LOG_FORMAT: 'json',
      },
    });
    try {
      const warnings = () => platform.api.output.split('Spans cannot be sent').length - 1;
      await until(() => warnings() > 0);
      for (let i = 0; i < 20; i++) expect((await platform.request('GET', '/workspaces')).status).toBe(200);
      expect(await platform.api.stop()).toMatchObject({ code: 0 });
      expect(warnings()).toBe(1);
    } finally {
      await platform.stop();
    }
  });
});

describe('a service without a collector', () => {
  it('has no part of the SDK in memory', async () => {
    const isSdk = (path: string) => /@opentelemetry.(?:sdk|otlp|exporter)/.test(path);
    expect((await loadedBy('@peregrine/runtime')).filter(isSdk)).toEqual([]);
    expect((await loadedBy('../../libs/runtime/dist/tracing/span-export.js')).some(isSdk)).toBe(true);
  });

  it('tells no trace, and asks for none', async () => {
    const platform = await Platform.start({ redis: false, workers: 0 });
    try {
      const { body } = await platform.request('GET', '/workspaces?limit=nine', {
        headers: { traceparent: callersTrace(true).header },
      });
      expect(body.code).toBe('VALIDATION_FAILED');
      expect(body).not.toHaveProperty('traceId');
    } finally {
      await platform.stop();
    }
  });
});
