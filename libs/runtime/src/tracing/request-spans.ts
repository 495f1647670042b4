import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { HEALTH_PATHS } from '@peregrine/health';
import { METRICS_PATHS } from '@peregrine/metrics';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { onResponseClose } from '../responses/on-response-close.js';

/** Asked every few seconds by machines: a trace of each would bury the others. */
const UNTRACED = new Set([...HEALTH_PATHS, ...METRICS_PATHS]);

const tracer = trace.getTracer('@peregrine/runtime');

/** Requests and the context that their work runs in. */
const contexts = new WeakMap<FastifyRequest, Context>();

/**
 * A span for each request, named by method and route template: the path itself may hold anything. It goes on with the
 * caller's trace where a `traceparent` says so. Call it before the routes exist, and only when spans are exported.
 */
export function registerRequestSpans(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (UNTRACED.has(request.routeOptions.url ?? '')) return done();
    const around = begin(request, reply);
    contexts.set(request, around);
    context.with(around, done);
  });
  // When the body has been read: what is read of a socket loses the context.
  fastify.addHook('preHandler', (request, _reply, done) => {
    context.with(contexts.get(request) ?? context.active(), done);
  });
}

/** The trace that a request belongs to; undefined where it has none. */
export function traceIdOf(request: FastifyRequest): string | undefined {
  return spanOf(request)?.spanContext().traceId;
}

/** As {@link traceIdOf}, of a trace that is kept: whoever looks it up will find it. */
export function keptTraceIdOf(request: FastifyRequest): string | undefined {
  const { traceId, traceFlags = 0 } = spanOf(request)?.spanContext() ?? {};
  return traceFlags & TraceFlags.SAMPLED ? traceId : undefined;
}

function spanOf(request: FastifyRequest): Span | undefined {
  const around = contexts.get(request);
  return around && trace.getSpan(around);
}

function begin(request: FastifyRequest, reply: FastifyReply): Context {
  const { method, is404 } = request;
  const route = is404 ? undefined : request.routeOptions.url;
  const from = propagation.extract(ROOT_CONTEXT, request.headers);
  const span = tracer.startSpan(
    route === undefined ? method : `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.scheme': request.protocol,
        ...(route !== undefined && { 'http.route': route }),
        'peregrine.request.id': request.id,
      },
    },
    from,
  );
  // `finish` never comes when the client leaves; `close` always does.
  onResponseClose(reply.raw, () => end(span, reply));
  return trace.setSpan(from, span);
}

function end(span: Span, { raw }: FastifyReply): void {
  const { statusCode, headersSent, writableFinished } = raw;
  if (headersSent) span.setAttribute('http.response.status_code', statusCode);
  if (!writableFinished) span.setAttribute('error.type', 'aborted');
  else if (statusCode >= 500) span.setAttribute('error.type', String(statusCode));
  if (!writableFinished || statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
