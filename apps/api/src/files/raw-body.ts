import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    rawBody?: boolean;
  }
  interface FastifyRequest {
    /** What the sender calls the content of a raw upload. */
    statedMediaType?: string | undefined;
  }
}

const RAW_MEDIA_TYPE = 'application/vnd.peregrine.raw';

/** The handler reads `request.raw` itself; nothing is parsed or limited before it. */
export const RawBody = () => RouteConfig({ rawBody: true });

/**
 * Fastify picks the parser by Content-Type, before the route is asked: a JSON file that is uploaded would be parsed
 * as a request. A route with {@link RawBody} therefore gets a type of its own, whose parser leaves the body alone.
 */
export function registerRawBody(fastify: FastifyInstance): void {
  fastify.decorateRequest('statedMediaType', undefined);
  fastify.addContentTypeParser(RAW_MEDIA_TYPE, (_request, _body, done) => done(null));
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.rawBody) {
      request.statedMediaType = request.headers['content-type'];
      request.headers['content-type'] = RAW_MEDIA_TYPE;
    }
    done();
  });
}
