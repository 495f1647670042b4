import { type Cdn } from '@peregrine/cdn';
import { type FastifyInstance } from 'fastify';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Whether there is a page. */
export const PUBLIC_DOCS = Symbol('@peregrine/api:public-docs');
export const DOCS_PREFIX = '/docs';

// Swagger UI belongs to @nestjs/swagger, so it is looked for from there.
const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
/** Swagger UI as it is published. */
export const DOCS_FOLDER = dirname(swagger.resolve('swagger-ui-dist/package.json'));

const INITIALIZER = 'swagger-initializer.js';
/** In place of the one of Swagger UI, which shows an example of its makers. */
const INITIALIZER_SCRIPT = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: '/docs-json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
    layout: 'StandaloneLayout',
  });
};
`;

/** The one file of the page that is ours; a route counts before the folder. */
export function registerDocsInitializer(fastify: FastifyInstance, cdn: Cdn): void {
  fastify.get(`${DOCS_PREFIX}/${INITIALIZER}`, async (request, reply) => {
    const accept = request.headers['accept-encoding'];
    const { content, headers } = await cdn.processResource(
      INITIALIZER_SCRIPT,
      INITIALIZER,
      accept?.toString(),
    );
    if (request.headers['if-none-match'] === headers['ETag'])
      return reply.status(304).headers(headers).send();
    return reply.headers(headers).send(content);
  });
}
