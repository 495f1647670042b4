import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MetricsService, parseMetricsOptions, registerRequestTiming } from '@peregrine/metrics';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { fastify } from 'fastify';
import { createLogger } from './service-logger.js';

afterEach(() => void jest.restoreAllMocks());

/** What the log writes to either stream. */
function record(): string[] {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  }
  return written;
}

describe('the log of a service', () => {
  it.each(['json', 'pretty'] as const)(
    'has no secret in it (%s): message, object, stack and error',
    (format) => {
      const written = record();
      const log = createLogger({ level: 'info', format, slowRequestMs: 1 });
      const url = 'postgres://user:hunter2@host/db';
      log.warn(`cannot reach ${url}`);
      log.warn({ message: 'refused', headers: { authorization: 'hunter2', accept: 'shown' } });
      log.error('failed', `Error: ${url}\n    at here`, 'Context');
      log.error(new Error(`failed at ${url}`));
      const text = written.join('');
      expect(text).not.toContain('hunter2');
      for (const shown of ['cannot reach', 'shown', 'at here', 'failed at']) expect(text).toContain(shown);
    },
  );

  it('is one object a line', () => {
    const written = record();
    createLogger({ level: 'info', format: 'json', slowRequestMs: 1 }).warn({
      message: 'slow',
      durationMs: 3,
    });
    expect(written.map((it) => JSON.parse(it) as unknown)).toEqual([
      expect.objectContaining({ level: 'warn', message: { message: 'slow', durationMs: 3 } }),
    ]);
  });

  it('names the request that a line belongs to, also after an await, and none outside of one', async () => {
    const written = record();
    const log = createLogger({ level: 'info', format: 'json', slowRequestMs: 1 });
    const metrics = new MetricsService(parseMetricsOptions({ processMetrics: false }));
    const app = fastify({ genReqId: (request) => String(request.headers['x-request-id']) });
    registerRequestTiming(app, metrics);
    app.get('/', async () => {
      await new Promise(setImmediate);
      log.log('inside');
      return 'ok';
    });
    const ask = (id: string) => app.inject({ url: '/', headers: { 'x-request-id': id } });
    await Promise.all([ask('a'), ask('b')]);
    log.log('outside');
    metrics.onApplicationShutdown();
    await app.close();
    const lines = written.map((it) => JSON.parse(it) as { message: string; requestId?: string });
    expect(lines.map((it) => [it.message, it.requestId]).sort()).toEqual([
      ['inside', 'a'],
      ['inside', 'b'],
      ['outside', undefined],
    ]);
  });

  it('names the trace that a line belongs to, and none outside of one', async () => {
    const written = record();
    const log = createLogger({ level: 'info', format: 'json', slowRequestMs: 1 });
    const provider = new NodeTracerProvider();
    provider.register();
    const traceId = await provider.getTracer('spec').startActiveSpan('work', async (span) => {
      await new Promise(setImmediate);
      log.log('inside');
      span.end();
      return span.spanContext().traceId;
    });
    log.log('outside');
    await provider.shutdown();
    const lines = written.map((it) => JSON.parse(it) as { message: string; trace_id?: string });
    expect(lines.map((it) => [it.message, it.trace_id])).toEqual([
      ['inside', traceId],
      ['outside', undefined],
    ]);
  });
});
