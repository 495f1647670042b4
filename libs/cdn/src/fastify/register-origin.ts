import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Origin } from '../origin/origin.js';
import { failureResponse, type OriginResponse } from '../origin/origin-response.js';
import { sendResponse } from '../origin/send-response.js';

/**
 * Serves an origin from a Fastify server below the origin's prefix. It answers in `onRequest`, after the server's own
 * hooks: neither body parser nor serialiser sees the request. Headers that those hooks have set go out too.
 *
 * @param notFound who answers what is not there: the origin, or Fastify's own handler. @default 'origin'
 */
export function registerOrigin(
  fastify: FastifyInstance,
  origin: Origin,
  { notFound = 'origin' }: { notFound?: 'origin' | 'application' } = {},
): void {
  const send = (response: OriginResponse, reply: FastifyReply): void => {
    if (response.status === 404 && notFound === 'application') return void reply.callNotFound();
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    void sendResponse(raw, response);
  };
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    const { method = 'GET', url = '/', headers } = request.raw;
    const answered = origin.handle({ method, url, headers });
    if (!(answered instanceof Promise)) return send(answered, reply);
    answered
      .then((it) => send(it, reply))
      .catch((error: Error) => {
        request.log.error(error);
        if (reply.raw.headersSent) reply.raw.destroy();
        else send(failureResponse(500, { method }), reply);
      });
  };
  // Never reached: the hook has answered.
  const handler = () => Promise.resolve();
  for (const url of origin.prefix === '' ? ['/*'] : [origin.prefix, `${origin.prefix}/*`]) {
    fastify.route({ method: fastify.supportedMethods, url, exposeHeadRoute: false, onRequest, handler });
  }
}
