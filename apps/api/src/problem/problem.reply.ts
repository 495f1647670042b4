import { Logger } from '@nestjs/common';
import { traceIdOf } from '@peregrine/runtime';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { failureOf } from './failures.js';
import { type Failure, PROBLEM_MEDIA_TYPE, type Problem } from './problem.js';

const log = new Logger('Problem');

/** Problem details of a failure of one request. */
export function problemOf(
  failure: Failure,
  request: { path: string; id: string; traceId?: string | undefined },
): Problem {
  return {
    type: `urn:peregrine:problem:${failure.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[failure.status] ?? 'Error',
    status: failure.status,
    detail: failure.detail,
    instance: request.path,
    code: failure.code,
    requestId: request.id,
    ...(request.traceId === undefined ? {} : { traceId: request.traceId }),
    ...(failure.errors ? { errors: failure.errors } : {}),
  };
}

/** Answers a request whose handling failed. What the caller may not know goes to the log. */
export function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const failure = failureOf(error);
  const path = request.url.split('?', 1)[0] ?? '';
  if (failure.status >= 500) {
    const stack = error instanceof Error ? error.stack : String(error);
    log.error(`${request.method} ${path} failed with ${failure.status} (request ${request.id})`, stack);
  }
  if (reply.raw.headersSent) {
    // Half an answer is out: only a cut connection tells the client that it is not whole.
    reply.raw.destroy();
    return;
  }
  if (failure.retryAfterSeconds) void reply.header('Retry-After', failure.retryAfterSeconds);
  if (failure.status === 401 && !reply.hasHeader('WWW-Authenticate'))
    void reply.header('WWW-Authenticate', 'Bearer');
  closeIfUnread(request, reply);
  void reply
    .status(failure.status)
    .removeHeader('Content-Length')
    .removeHeader('ETag')
    .header('Content-Type', PROBLEM_MEDIA_TYPE)
    .header('Cache-Control', 'no-store')
    .send(JSON.stringify(problemOf(failure, { path, id: request.id, traceId: traceIdOf(request) })));
}

/** A body that was refused before its end would be read to it on a kept connection; close instead. */
function closeIfUnread(request: FastifyRequest, reply: FastifyReply): void {
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  if (hasBody && !request.raw.complete) void reply.header('Connection', 'close');
}
