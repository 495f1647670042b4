import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { JsonTooDeepError, type ProtectionError, RequestTooLargeError } from '../protection.errors.js';
import { type Refuse } from './admission.js';

/** Most of the 16 KiB that Node gives URL and headers together. */
export const MAX_URL_LENGTH = 12_288;
export const MAX_PARAMETERS = 50;
export const MAX_HEADERS = 100;
/** No body of the api is deeper than a handful; what is must not reach code that recurses. */
export const MAX_JSON_DEPTH = 32;

/** Refuses bodies that are nested like none of the api, before anybody works on them. */
export function registerJsonDepth(fastify: FastifyInstance, refuse: Refuse): void {
  // Not `preValidation`: a kind of hook that nobody else uses costs every request what its first one does.
  fastify.addHook('preHandler', (request, reply, done) => {
    if (isNested(request.body) && isDeeperThan(request.body, MAX_JSON_DEPTH)) {
      refuse(new JsonTooDeepError(MAX_JSON_DEPTH), request, reply);
    } else done();
  });
}

/** What is wrong with the form of a request, as far as its head tells; undefined for nothing. */
export function shapeProblem({ raw, url }: FastifyRequest): ProtectionError | undefined {
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
