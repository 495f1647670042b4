import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConcurrencyGate, RateLimits, registerProtectionHooks, type Settings } from '@peregrine/runtime';
import { type FastifyInstance } from 'fastify';
import { replyWithProblem } from '../problem/problem.reply.js';
import { checkRuledRoutes, ruleFor } from './route-rules.js';

/** Limits of rate, concurrency, shape and pace by the rules of the api's routes. */
export function registerProtection(app: NestFastifyApplication, { protection }: Settings): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const { minBodyBytesPerSecond, bodyGraceMs } = protection;
  checkRuledRoutes(fastify);
  registerProtectionHooks(fastify, {
    ruleOf: ruleFor,
    rates: protection.rateLimitsEnabled ? app.get(RateLimits, { strict: false }) : undefined,
    rateLimitLocal: protection.rateLimitLocal,
    gate: protection.concurrencyLimitEnabled ? app.get(ConcurrencyGate, { strict: false }) : undefined,
    bodyPace:
      minBodyBytesPerSecond > 0
        ? { minBytesPerSecond: minBodyBytesPerSecond, graceMs: bodyGraceMs }
        : undefined,
    refuse: replyWithProblem,
  });
}
