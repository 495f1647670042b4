import { type DynamicModule, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { allSettings, loadSettings } from '@peregrine/config';
import { type DrainableApp, drainOnSignals, HealthService } from '@peregrine/health';
import {
  listenForScrapes,
  MemoryManager,
  MetricsService,
  registerRequestTiming,
  type RequestTimingHandle,
  type ScrapeListener,
} from '@peregrine/metrics';
import {
  type FastifyError,
  type FastifyHttpOptions,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import { type Server } from 'node:http';
import { createLogger } from './logging/service-logger.js';
import { registerShedRequests } from './memory/shed-requests.js';
import { OPERATIONS_PATHS } from './operations-paths.js';
import { type Settings } from './settings.js';
import { describeStartFailure } from './start-failure.js';
import { statementsOf } from './timing/request-statements.js';
import { keptTraceIdOf, registerRequestSpans, traceIdOf } from './tracing/request-spans.js';
import { startTracing, type Tracing } from './tracing/start-tracing.js';

/** How often connections are looked through for headers that are overdue. */
const CHECK_CONNECTIONS_MS = 1_000;

export interface ServiceOptions {
  /** In logs and messages. */
  name: string;
  module: (settings: Settings) => DynamicModule;
  /** Merged over what every service has. */
  fastify?: Omit<FastifyServerOptions, 'frameworkErrors'>;
  /** Answers what Fastify refuses before it looks for a route. @default the message as text */
  onFrameworkError?: (error: Error, request: FastifyRequest, reply: FastifyReply) => void;
  /** Beside probes and figures: paths, with all below them, that are served while memory runs short. */
  servedUnderPressure?: readonly string[];
  /** Called before the routes exist. */
  configure?: (app: NestFastifyApplication, settings: Settings) => void | Promise<void>;
}

/** What a started service tells its parent process, if that listens. */
export interface ListeningMessage {
  type: 'listening';
  url: string;
  /** Of the figures, where they have a port of their own. */
  metricsUrl?: string;
}

/**
 * The life of a process: settings, application, listener, and an end without a failed request. A failure to start
 * prints one readable message and ends the process with exit code 1.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  try {
    const settings = loadSettings(allSettings);
    const tracing = await startTracing(settings, options.name);
    const app = await createService(options, settings, tracing);
    const health = app.get(HealthService);
    drainOnSignals(tracing ? tracedUntilClosed(app, tracing) : app, {
      health,
      drainMs: settings.http.shutdownDrainMs,
      timeoutMs: settings.http.shutdownTimeoutMs,
      log: new Logger(options.name),
    });
    const scrapes = await openScrapeListener(app, settings);
    await app.listen(settings.http.port, settings.http.host);
    health.markStarted();
    const url = await app.getUrl();
    const log = new Logger(options.name);
    log.log(`Listening on ${url}`);
    if (scrapes) log.log(`Metrics on ${scrapes.url}`);
    const metricsUrl = scrapes && { metricsUrl: scrapes.url };
    process.send?.({ type: 'listening', url, ...metricsUrl } satisfies ListeningMessage);
  } catch (error) {
    process.stderr.write(`${describeStartFailure(options.name, error)}\n`);
    process.exit(1);
  }
}

/** Where the settings ask for a port of the figures' own. It closes after the service's: the drain is worth a look. */
async function openScrapeListener(
  app: NestFastifyApplication,
  { metrics }: Settings,
): Promise<ScrapeListener | undefined> {
  const { port, host, key } = metrics;
  if (port === undefined) return undefined;
  const listener = await listenForScrapes(app.get(MetricsService), { port, host, key });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onClose', () => listener.close());
  return listener;
}

/** Closing has spans too, of the last tasks: what has ended is sent after all else. */
function tracedUntilClosed(app: NestFastifyApplication, tracing: Tracing): DrainableApp {
  return {
    getHttpServer: () => app.getHttpServer(),
    getHttpAdapter: () => app.getHttpAdapter(),
    close: async () => {
      try {
        await app.close();
      } finally {
        await tracing.stop();
      }
    },
  };
}

async function createService(
  options: ServiceOptions,
  settings: Settings,
  tracing: Tracing | undefined,
): Promise<NestFastifyApplication> {
  const refuse =
    options.onFrameworkError ??
    ((error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 400;
      void reply.status(status).send(error.message);
    });
  // Filled below: the adapter exists before the application whose figures it feeds.
  const timing: { handle?: RequestTimingHandle } = {};
  const serverOptions: FastifyHttpOptions<Server> = {
    // A time without a byte, not a time for the whole request: a large upload may take as long as it moves.
    return503OnClosing: false,
    connectionTimeout: settings.http.requestTimeoutMs,
    bodyLimit: settings.http.bodyLimitBytes,
    trustProxy: (_address: string, hop: number) => hop < settings.protection.trustedProxyHops,
    http: {
      // Whoever drips its headers is cut off, and soon: 408, through clientErrorHandler.
      headersTimeout: settings.protection.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_CONNECTIONS_MS, settings.protection.headersTimeoutMs),
    },
    // A URL that cannot be decoded is answered before any hook runs.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      timing.handle?.onFrameworkError(request, reply);
      refuse(error, request, reply);
    },
    ...options.fastify,
  };
  const adapter = new FastifyAdapter(serverOptions);
  const app = await NestFactory.create<NestFastifyApplication>(options.module(settings), adapter, {
    abortOnError: false,
    logger: createLogger(settings.log),
  });
  app.getHttpServer().maxConnections = settings.protection.maxConnections;
  const fastify = app.getHttpAdapter().getInstance();
  if (tracing) registerRequestSpans(fastify);
  timing.handle = registerRequestTiming(fastify, app.get(MetricsService), {
    describe: (request) => ({
      statements: statementsOf(request.timing),
      ...(tracing && { traceId: traceIdOf(request) }),
    }),
    ...(tracing && { traceIdOf: keptTraceIdOf }),
  });
  await options.configure?.(app, settings);
  // After the hooks that every answer needs, before the routes.
  registerShedRequests(fastify, {
    manager: app.get(MemoryManager),
    exempt: [...OPERATIONS_PATHS, ...(options.servedUnderPressure ?? [])],
    refuse,
  });
  return app;
}
