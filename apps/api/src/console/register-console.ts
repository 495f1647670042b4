import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthService } from '@peregrine/health';
import { MetricsService } from '@peregrine/metrics';
import { AuditTrail, type Settings } from '@peregrine/runtime';
import { type FastifyInstance } from 'fastify';
import { ApiKeyService } from '../access/api-key.service.js';
import { SlowQueriesController } from '../optimizer/slow-queries.controller.js';
import { replyWithProblem } from '../problem/problem.reply.js';
import { registerActionRoutes } from './action.routes.js';
import { ConsoleActions } from './console-actions.js';
import { ConsoleSnapshots } from './console-snapshots.js';
import { CONSOLE_PATH } from './console.tokens.js';
import { registerQueryRoute } from './query.route.js';
import { registerSessionRoutes } from './session/session.routes.js';
import { ConsoleAccess } from './session/console-access.js';
import { SessionTokens } from './session/session-token.js';
import { SnapshotStream } from './snapshot-stream.js';
import { registerStreamRoute } from './stream.route.js';

const MINUTE_MS = 60_000;
/** No request of the console is larger. */
const BODY_LIMIT = 65_536;

/** Everything of the console comes from here, and nobody may put it into a frame. */
const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
} as const;

/**
 * The data and the deeds of the console below `/console/api`; its page is an origin of the `Cdn`. Not among the routes of
 * the API: a session must open nothing but the console.
 */
export async function registerConsole(app: NestFastifyApplication, settings: Settings): Promise<void> {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const parts = partsOf(app, settings);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (isConsole(request.url)) void reply.headers(SECURITY_HEADERS);
    done();
  });
  fastify.addHook('preClose', (done) => {
    parts.stream.close();
    done();
  });
  await fastify.register(
    (routes, _options, done) => {
      routes.setErrorHandler((error, request, reply) => replyWithProblem(error, request, reply));
      routes.addHook('onSend', (_request, reply, _payload, next) => {
        void reply.header('Cache-Control', 'no-store');
        next();
      });
      registerSessionRoutes(routes, parts);
      registerStreamRoute(routes, parts);
      registerQueryRoute(routes, parts);
      registerActionRoutes(routes, parts);
      done();
    },
    { prefix: `${CONSOLE_PATH}/api`, bodyLimit: BODY_LIMIT },
  );
}

/** What the routes work with. */
function partsOf(app: NestFastifyApplication, { security, console: its }: Settings) {
  const provider = { strict: false };
  const apiKeys = app.get(ApiKeyService, provider);
  const snapshots = app.get(ConsoleSnapshots, provider);
  const health = app.get(HealthService, provider);
  const tokens = new SessionTokens(security.cursorSecret, its.sessionMinutes * MINUTE_MS);
  const stream = new SnapshotStream({ take: () => snapshots.take(), isDraining: () => health.draining });
  return {
    apiKeys,
    stream,
    access: new ConsoleAccess(tokens, apiKeys),
    metrics: app.get(MetricsService, provider),
    actions: app.get(ConsoleActions, provider),
    trail: app.get(AuditTrail, provider),
    slowQueries: app.get(SlowQueriesController, provider),
    actionsEnabled: its.actionsEnabled,
    onChange: () => {
      snapshots.expire();
      void stream.send();
    },
  };
}

function isConsole(url: string): boolean {
  return url === CONSOLE_PATH || url.startsWith(`${CONSOLE_PATH}/`) || url.startsWith(`${CONSOLE_PATH}?`);
}
