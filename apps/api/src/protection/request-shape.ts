import { JsonTooDeepError, type ProtectionError, RequestTooLargeError } from '@peregrine/runtime';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { replyWithProblem } from '../problem/problem.reply.js';

/** Most of the 16 KiB that Node gives URL and headers together. */
export const MAX_URL_LENGTH = 12_288;
export const MAX_PARAMETERS = 50;
export const MAX_HEADERS = 100;
/** No body of the api is deeper than a handful; what is must not reach code that recurses. */
export const MAX_JSON_DEPTH = 32;

/** Refuses requests that are shaped like no request of the api, before anybody works on them. */
export function registerRequestShape(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const problem = shapeProblem(request);
    if (problem) replyWithProblem(problem, request, reply);
    else done();
  });
  fastify.addHook('preValidation', (request, reply, done) => {
    if (isDeeperThan(request.body, MAX_JSON_DEPTH)) {
      replyWithProblem(new JsonTooDeepError(MAX_JSON_DEPTH), request, reply);
    } else done();
  });
}

function shapeProblem({ raw, url }: FastifyRequest): ProtectionError | undefined {
  if (url.length > MAX_URL_LENGTH) {
    return new RequestTooLargeError(414, `The URL may have ${MAX_URL_LENGTH} characters`);
  }
  if (raw.rawHeaders.length > MAX_HEADERS * 2) {
    return new RequestTooLargeError(431, `A request may have ${MAX_HEADERS} headers`);
  }
  // A separator each, and one more after the question mark.
  if (url.length > MAX_PARAMETERS && url.split('&', MAX_PARAMETERS + 1).length > MAX_PARAMETERS) {
    return new RequestTooLargeError(414, `The URL may have ${MAX_PARAMETERS} parameters`);
  }
  return undefined;
}

/** Whether plain JSON is nested deeper. Level by level, since recursion is what it protects from. */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  let level = [value].filter(isNested);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= maxDepth) return true;
    level = level.flatMap((it) => Object.values<unknown>({ ...it })).filter(isNested);
  }
  return false;
}

const isNested = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
