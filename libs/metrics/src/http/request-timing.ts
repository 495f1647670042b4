import { Logger } from '@nestjs/common';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type MetricsService } from '../metrics.service.js';
import { UNMATCHED_ROUTE } from '../metrics.tokens.js';
import { type EventLoopFigures } from '../supervision/event-loop-monitor.js';
import { type HttpInstruments } from './http-instruments.js';
import { bodyBytesOf, countUnannounced, sentBytes, sentBytesBefore } from './body-sizes.js';
import { RequestTiming, runForRequest } from './request-phases.js';
import { formatMs } from './server-timing.js';
import { slowRequestLogger, type SlowRequestReport } from './slow-request-log.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Clock and phases of this request; set by `registerRequestTiming`. */
    timing: RequestTiming;
  }
}

/** Options of {@link registerRequestTiming}. */
export interface RequestTimingOptions {
  /** A request that takes longer is reported, milliseconds. @default the `slowRequestMs` of the module */
  readonly slowRequestMs?: number;
  /** Takes the report of a slow request. An error it throws is logged. @default a warning, ten a second at most */
  readonly onSlowRequest?: (report: SlowRequestReport) => void;
  /** More about a slow request for its report, such as its statements. Called when it has finished. */
  readonly describe?: (request: FastifyRequest) => Readonly<Record<string, unknown>> | undefined;
  /** The trace of a finished request, if it is kept: an exemplar of its time. @default no exemplars */
  readonly traceIdOf?: (request: FastifyRequest) => string | undefined;
  /** Tells clients the phases, not only the total. @default true */
  readonly exposePhases?: boolean;
  /** Milliseconds on a monotonic clock. @default performance.now */
  readonly now?: () => number;
}

/** What {@link registerRequestTiming} returns. */
export interface RequestTimingHandle {
  /**
   * Fastify answers a malformed URL before any hook runs. Call this in `frameworkErrors`, before `reply.send`, so that
   * those answers are timed and counted too.
   */
  onFrameworkError(request: FastifyRequest, reply: FastifyReply): void;
}

const logger = new Logger('RequestTiming');

/**
 * Times every response of a Fastify server: the headers `X-Response-Time` and `Server-Timing`, the HTTP instruments of
 * `metrics`, and the slow-request report. Call it once, before the server has its routes and plugins (in Nest: between
 * `NestFactory.create` and `app.init` or `app.listen`), because Fastify gives hooks only to contexts made later.
 *
 * Not covered: what bypasses Fastify's reply. A hijacked reply and one that a raw middleware ends are counted but get
 * no headers; a request that Node's parser refuses, and the bare 503 that Fastify writes while it closes, get neither.
 */
export function registerRequestTiming(
  fastify: FastifyInstance,
  metrics: MetricsService,
  options: RequestTimingOptions = {},
): RequestTimingHandle {
  const hooks = new RequestTimingHooks(metrics, options);
  fastify.decorateRequest('timing', null as unknown as RequestTiming);
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const it of [method].flat()) metrics.http.reserve(it, url);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    hooks.timingOf(request, reply);
    done();
  });
  // When the body has been read: what is read of a socket loses the context.
  fastify.addHook('preHandler', (request, reply, done) => {
    const timing = hooks.timingOf(request, reply);
    timing.step('handler');
    runForRequest(timing, done);
  });
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    hooks.timingOf(request, reply).step('serialise');
    done(null, payload);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    hooks.send(request, reply, payload);
    done(null, payload);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    hooks.finish(request, reply, false);
    done();
  });
  return {
    onFrameworkError: (request, reply) => void hooks.writeHeaders(request, reply),
  };
}

/** The hooks' bodies, with what they share. */
class RequestTimingHooks {
  readonly #http: HttpInstruments;
  readonly #slowRequestMs: number;
  readonly #onSlowRequest: (report: SlowRequestReport) => void;
  readonly #exposePhases: boolean;
  readonly #describe: RequestTimingOptions['describe'];
  readonly #traceIdOf: RequestTimingOptions['traceIdOf'];
  readonly #eventLoop: () => EventLoopFigures;
  readonly #now: () => number;
  /** Instrument slots of a route by method; the key is the route's config object, one for each route. */
  readonly #slots = new WeakMap<object, Map<string, number>>();

  constructor(metrics: MetricsService, options: RequestTimingOptions) {
    this.#http = metrics.http;
    this.#slowRequestMs = options.slowRequestMs ?? metrics.options.slowRequestMs;
    this.#now = options.now ?? (() => performance.now());
    this.#onSlowRequest = options.onSlowRequest ?? slowRequestLogger(logger, this.#now);
    this.#exposePhases = options.exposePhases ?? true;
    this.#describe = options.describe;
    this.#traceIdOf = options.traceIdOf;
    this.#eventLoop = () => metrics.eventLoop();
  }

  /** The request's clock, started now when an earlier hook (CORS, closing) kept our `onRequest` from running. */
  timingOf(request: FastifyRequest, reply: FastifyReply): RequestTiming {
    // Null until set, as decorated; undefined on the bare requests of Fastify's framework errors.
    const known = request.timing as RequestTiming | null | undefined;
    if (known) return known;
    // Fastify's own clock has been running since before the earlier hooks.
    const timing = new RequestTiming(this.#now() - reply.elapsedTime, this.#now, request.id);
    request.timing = timing;
    this.#http.inFlight++;
    countUnannounced(request.raw);
    // `finish`, and with it onResponse, never comes when the client leaves; `close` always does, and but once.
    reply.raw.on('close', () => {
      this.finish(request, reply, !reply.raw.writableFinished);
      timing.close();
    });
    return timing;
  }

  /** The answer is made. */
  send(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
    const timing = this.writeHeaders(request, reply);
    timing.sentBefore = sentBytesBefore(request.raw, payload);
  }

  writeHeaders(request: FastifyRequest, reply: FastifyReply): RequestTiming {
    const timing = this.timingOf(request, reply);
    const elapsedMs = timing.step();
    if (timing.headersWritten && reply.hasHeader('x-response-time')) return timing;
    timing.headersWritten = true;
    const total = formatMs(elapsedMs);
    const ours = timing.header(total, this.#exposePhases);
    const existing = reply.getHeader('server-timing');
    reply.header('x-response-time', `${total}ms`);
    reply.header('server-timing', existing === undefined ? ours : `${String(existing)}, ${ours}`);
    return timing;
  }

  finish(request: FastifyRequest, reply: FastifyReply, aborted: boolean): void {
    const timing = this.timingOf(request, reply);
    if (timing.finished) return;
    timing.finished = true;
    this.#http.inFlight--;
    const durationMs = timing.elapsedMs;
    this.#http.observe(this.#slotOf(request), {
      statusCode: reply.raw.statusCode,
      aborted,
      seconds: durationMs / 1_000,
      requestBytes: bodyBytesOf(request.raw),
      responseBytes: sentBytes(request.raw, reply, { aborted, before: timing.sentBefore }),
      traceId: this.#traceIdOf?.(request),
    });
    if (durationMs > this.#slowRequestMs) this.#report(request, reply, aborted, durationMs);
  }

  #slotOf(request: FastifyRequest): number {
    // A handler may have called the not-found handler: then the route is another.
    const { config, url } = request.is404
      ? request.routeOptions
      : (request.timing.route ??= request.routeOptions);
    // Fastify's framework errors have no route at all.
    if (!(config as object | undefined)) return this.#http.slotOf(request.method, undefined);
    let byMethod = this.#slots.get(config);
    if (!byMethod) {
      byMethod = new Map();
      this.#slots.set(config, byMethod);
    }
    let slot = byMethod.get(request.method);
    if (slot === undefined) {
      slot = this.#http.slotOf(request.method, request.is404 ? undefined : url);
      byMethod.set(request.method, slot);
    }
    return slot;
  }

  #report(request: FastifyRequest, reply: FastifyReply, aborted: boolean, durationMs: number): void {
    this.#http.slow++;
    try {
      const details = this.#describe?.(request);
      this.#onSlowRequest({
        requestId: request.id,
        method: request.method,
        route: (request.is404 ? undefined : request.routeOptions.url) ?? UNMATCHED_ROUTE,
        statusCode: reply.raw.headersSent ? reply.raw.statusCode : 0,
        aborted,
        durationMs,
        phases: request.timing.phases,
        eventLoop: this.#eventLoop(),
        ...(details && { details }),
      });
    } catch (error) {
      logger.error('onSlowRequest threw; the request itself is not affected', error);
    }
  }
}
