import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  clientNetwork,
  ConcurrencyGate,
  isLoopback,
  onResponseClose,
  type Place,
  type RateDecision,
  RateLimitExceededError,
  RateLimits,
  type RatePolicy,
  type Settings,
  SlowBodyError,
} from '@peregrine/runtime';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { presentedKey } from '../access/presented-key.js';
import { replyWithProblem } from '../problem/problem.reply.js';
import { BodyPace } from './body-pace.js';
import { rateLimitPolicy, rateLimitState, retryAfterSeconds } from './rate-limit-headers.js';
import { registerRequestShape } from './request-shape.js';
import { type RouteRule, RouteRules } from './route-rules.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its place among the requests that run, while it has one. */
    place: Place | null;
    /** The limit that let it in; null where none applies. */
    ratePolicy: string | null;
  }
}

/** The phase of a request in which it waits to be let in. */
const PHASE = 'limits';

/** Headers that only a proxy sets; the caller behind it may be anybody. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const;

/** Limits of rate, concurrency, shape and pace, before anything is read or looked up for a request. */
export function registerProtection(app: NestFastifyApplication, { protection }: Settings): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const rules = new RouteRules(fastify);
  fastify.decorateRequest('place', null);
  fastify.decorateRequest('ratePolicy', null);
  registerRequestShape(fastify);
  if (protection.rateLimitsEnabled) {
    registerRates(fastify, rules, app.get(RateLimits, { strict: false }), protection.rateLimitLocal);
  }
  if (protection.concurrencyLimitEnabled) {
    registerGate(fastify, rules, app.get(ConcurrencyGate, { strict: false }));
  }
  if (protection.minBodyBytesPerSecond > 0) {
    registerPace(fastify, {
      minBytesPerSecond: protection.minBodyBytesPerSecond,
      graceMs: protection.bodyGraceMs,
    });
  }
}

function registerRates(
  fastify: FastifyInstance,
  rules: RouteRules,
  limits: RateLimits,
  limitLocal: boolean,
): void {
  const headers = new Map(
    Object.values<RatePolicy>({ ...limits.policies }).map((it) => [it.name, rateLimitPolicy(it)]),
  );
  const decide = (request: FastifyRequest, reply: FastifyReply, decision: RateDecision, done: () => void) => {
    request.ratePolicy = decision.policy.name;
    void reply.header('RateLimit-Policy', headers.get(decision.policy.name));
    void reply.header('RateLimit', rateLimitState(decision));
    if (decision.allowed) return done();
    const error = new RateLimitExceededError(decision.policy.name, retryAfterSeconds(decision.retryAfterMs));
    replyWithProblem(error, request, reply);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const rule = rules.of(request);
    if (rule.isExempt || (!limitLocal && isLocal(request))) return done();
    const leave = request.timing.enter(PHASE);
    const decision = limits.admit(callerOf(request, rule), rule.cost);
    if (!(decision instanceof Promise)) {
      leave();
      return decide(request, reply, decision, done);
    }
    void decision.then((it) => {
      leave();
      decide(request, reply, it, done);
    });
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    learn(limits, rules.of(request), request, reply);
    done();
  });
}

/** Who was let in has a bucket of its own from now on; who was not has failed. */
function learn(limits: RateLimits, rule: RouteRule, request: FastifyRequest, reply: FastifyReply): void {
  // Null where there is no limit; a key that is known is known.
  if (request.ratePolicy !== 'address') {
    if (request.ratePolicy === 'key' && reply.statusCode === 401) limits.failed(callerOf(request, rule));
    return;
  }
  const caller = callerOf(request, rule);
  if (request.caller && caller.key !== undefined) limits.accepted(caller.key, request.caller.apiKeyId);
  else if (reply.statusCode === 401 && (caller.key !== undefined || rule.isLogin)) limits.failed(caller);
}

function registerGate(fastify: FastifyInstance, rules: RouteRules, gate: ConcurrencyGate): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { isExempt, priority } = rules.of(request);
    if (isExempt || priority === undefined) return done();
    const leave = request.timing.enter(PHASE);
    const refuse = (error: unknown) => {
      leave();
      replyWithProblem(error, request, reply);
    };
    const take = (place: Place) => {
      leave();
      // The client may have left in the meantime; then nobody would give the place back.
      if (reply.raw.destroyed) return place.release();
      request.place = place;
      onResponseClose(reply.raw, () => place.release());
      done();
    };
    try {
      const place = gate.enter(priority, (goAway) => void onResponseClose(reply.raw, goAway));
      if (place instanceof Promise) place.then(take, refuse);
      else take(place);
    } catch (error) {
      refuse(error);
    }
  });
  // The answer is made; how fast its client reads is not the service's doing.
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const saysSomething = reply.statusCode < 400;
    request.place?.release(saysSomething ? rules.of(request).kind : undefined);
    done();
  });
}

function registerPace(fastify: FastifyInstance, options: ConstructorParameters<typeof BodyPace>[0]): void {
  const pace = new BodyPace(options);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { raw, headers } = request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (hasBody && !raw.complete) {
      pace.watch(raw, () => {
        // Whoever reads the body learns of it by the end of the connection.
        reply.raw.once('finish', () => raw.destroy());
        replyWithProblem(new SlowBodyError(options.minBytesPerSecond), request, reply);
      });
    }
    done();
  });
}

function callerOf(request: FastifyRequest, { isLogin }: RouteRule) {
  return { network: clientNetwork(request.ip), key: presentedKey(request, { password: true }), isLogin };
}

/** This machine, and no proxy on it. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  return isLoopback(socket.remoteAddress) && PROXY_HEADERS.every((it) => headers[it] === undefined);
}
