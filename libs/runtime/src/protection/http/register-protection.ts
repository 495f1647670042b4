import { type FastifyInstance } from 'fastify';
import { type ConcurrencyGate } from '../concurrency/concurrency-gate.js';
import { SlowBodyError } from '../protection.errors.js';
import { type RateLimits } from '../rates/rate-limits.js';
import { Admission, type Refuse } from './admission.js';
import { BodyPace, type BodyPaceOptions } from './body-pace.js';
import { RateHooks } from './rate-hooks.js';
import { registerJsonDepth } from './request-shape.js';
import { RouteRules, type RuleOfRoute } from './route-rules.js';

/** How a server is protected. */
export interface ProtectionHooks {
  readonly ruleOf: RuleOfRoute;
  /** Undefined: none. */
  readonly rates?: RateLimits | undefined;
  /** Whether callers on this machine, without a proxy, have rate limits too. */
  readonly rateLimitLocal: boolean;
  /** Undefined: as many requests at once as come. */
  readonly gate?: ConcurrencyGate | undefined;
  /** Undefined: bodies may be as slow as they like. */
  readonly bodyPace?: BodyPaceOptions | undefined;
  /** Answers what is not let in. */
  readonly refuse: Refuse;
}

/**
 * Limits of rate, concurrency, shape and pace, before anything is read or looked up for a request. Needs
 * `registerRequestTiming` before it.
 */
export function registerProtectionHooks(
  fastify: FastifyInstance,
  { ruleOf, rates, rateLimitLocal, gate, bodyPace, refuse }: ProtectionHooks,
): void {
  const rateHooks = rates && new RateHooks(rates, rateLimitLocal);
  const admission = new Admission(new RouteRules(ruleOf), rateHooks, gate, refuse);
  fastify.decorateRequest('protection', null);
  fastify.addHook('onRequest', (request, reply, done) => admission.enter(request, reply, done));
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    admission.answered(request, reply);
    done();
  });
  if (bodyPace) registerPace(fastify, bodyPace, refuse);
  registerJsonDepth(fastify, refuse);
}

function registerPace(fastify: FastifyInstance, options: BodyPaceOptions, refuse: Refuse): void {
  const pace = new BodyPace(options);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { raw, headers } = request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (hasBody && !raw.complete) {
      pace.watch(raw, () => {
        // Whoever reads the body learns of it by the end of the connection.
        reply.raw.once('finish', () => raw.destroy());
        refuse(new SlowBodyError(options.minBytesPerSecond), request, reply);
      });
    }
    done();
  });
}
