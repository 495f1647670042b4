import { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { type Socket } from 'node:net';
import { type Failure, PROBLEM_MEDIA_TYPE } from '../problem/problem.js';
import { problemOf } from '../problem/problem.reply.js';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** What operators need to help a process that refuses other requests; they ask for an admin key before all else. */
export const OPERATOR_PATHS: readonly string[] = [
  ...['/console', '/admin'],
  ...['admin', 'meta', 'optimizer', 'audit-events'].map((it) => `/api/v1/${it}`),
];

/** Fastify as the API needs it: every answer a problem or a result, even where no route was reached. */
export const fastifyOptions = {
  genReqId: requestIdOf,
  // No shorter than the longest URL: what is too long should be told so by the path's own check.
  routerOptions: { maxParamLength: 16_384 },
  clientErrorHandler,
} satisfies FastifyServerOptions;

/** The caller's own id of a request when it is one, so that logs of several services meet. */
function requestIdOf(request: IncomingMessage): string {
  const stated = request.headers['x-request-id'];
  return typeof stated === 'string' && REQUEST_ID.test(stated) ? stated : randomUUID();
}

/** Tells the caller the id under which the log has its request. */
export function registerRequestId(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('X-Request-Id', request.id);
    done();
  });
}

/** What Node's parser refused, before there was a request. */
function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const failure = parserFailure(error.code);
  const body = JSON.stringify(problemOf(failure, { path: '', id: randomUUID() }));
  socket.end(
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status] ?? ''}\r\nConnection: close\r\n` +
      `Content-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function parserFailure(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: 431,
      code: 'HEADERS_TOO_LARGE',
      detail: 'The URL and the headers may have 16 KiB together',
    };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, code: 'REQUEST_TIMEOUT', detail: 'The request did not arrive in time' };
  }
  return { status: 400, code: 'MALFORMED_REQUEST', detail: 'This is no HTTP request' };
}
