import type { Server, ServerResponse } from 'node:http';
import { HealthDrainAfterListenError, HealthInvalidOptionsError } from '../health.errors.js';
import { Drain, type DrainLog, type DrainProcess } from './drain.js';
import { ResponseTracker } from './response-tracker.js';

/** Default of `DrainOptions.drainMs`, milliseconds. */
export const DEFAULT_DRAIN_MS = 2_000;

/** Default of `DrainOptions.timeoutMs`, milliseconds. */
export const DEFAULT_SHUTDOWN_TIMEOUT_MS = 30_000;

/** The part of a Nest application that draining needs. */
export interface DrainableApp {
  getHttpServer(): Server;
  close(): Promise<void>;
  /** Present on Nest applications; a Fastify instance behind it is asked for a hook. */
  getHttpAdapter?(): { getInstance(): unknown };
}

/** The part of a Fastify instance that draining needs. */
interface FastifyHooks {
  addHook(
    name: 'onRequest',
    hook: (request: unknown, reply: { readonly raw: ServerResponse }, done: () => void) => void,
  ): unknown;
}

/** How to drain. */
export interface DrainOptions {
  /** Told first, so that readiness answers 503: the application's `HealthService`. */
  readonly health: { beginDrain(): void };
  /** How long the listener stays open while readiness answers 503, milliseconds. @default 2000 */
  readonly drainMs?: number;
  /** Longest time from the signal to the end, milliseconds; more than `drainMs`. @default 30000 */
  readonly timeoutMs?: number;
  /** Nest's `Logger` fits. */
  readonly log: DrainLog;
  /** Where signals come from and who ends. @default process */
  readonly process?: DrainProcess;
}

/**
 * Makes SIGTERM, SIGINT and the loss of the parent's IPC channel end the process without a failed request.
 * Call it after the application is created and before it listens, and do not call `enableShutdownHooks`.
 *
 * Order: readiness 503 and `Connection: close` on every answer; wait `drainMs`; close the listener; let the
 * requests in flight finish; `app.close()`, which closes the pools; exit code 0. Exit code 1, with a message,
 * when `timeoutMs` passes, when closing fails, or when the same signal comes again.
 *
 * @throws {HealthDrainAfterListenError} when the server listens already
 * @throws {HealthInvalidOptionsError} when a duration is negative or `timeoutMs` does not exceed `drainMs`
 */
export function drainOnSignals(app: DrainableApp, options: DrainOptions): Drain {
  const drainMs = options.drainMs ?? DEFAULT_DRAIN_MS;
  const timeoutMs = options.timeoutMs ?? DEFAULT_SHUTDOWN_TIMEOUT_MS;
  if (!(drainMs >= 0 && timeoutMs > drainMs)) {
    throw new HealthInvalidOptionsError(
      `drainMs (${drainMs}) must be 0 or more, and timeoutMs (${timeoutMs}) must exceed it`,
    );
  }
  const server = app.getHttpServer();
  if (server.listening) throw new HealthDrainAfterListenError();
  const responses = new ResponseTracker();
  trackResponses(app, server, responses);
  const drain = new Drain({
    server,
    responses,
    drainMs,
    timeoutMs,
    health: options.health,
    log: options.log,
    process: options.process ?? process,
    closeApp: () => app.close(),
  });
  drain.listen();
  return drain;
}

function trackResponses(app: DrainableApp, server: Server, responses: ResponseTracker): void {
  server.prependListener('request', (_request, response) => responses.add(response));
  // On `localhost` Fastify opens one more server per address; only its hooks see all of them.
  const instance = app.getHttpAdapter?.().getInstance();
  if (hasHooks(instance)) {
    instance.addHook('onRequest', (_request, reply, done) => {
      responses.add(reply.raw);
      done();
    });
  }
}

function hasHooks(instance: unknown): instance is FastifyHooks {
  return (
    instance !== null &&
    typeof instance === 'object' &&
    'addHook' in instance &&
    typeof instance.addHook === 'function'
  );
}
