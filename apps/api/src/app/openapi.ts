import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { PROBLEM_MEDIA_TYPE } from '../problem/problem.js';

/** The description of the API as JSON at `/docs-json`; `AssetsModule` has the page at `/docs`. */
export function registerOpenApi(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Peregrine')
    .setDescription(
      'Workspaces, files and full-text search. Every request needs an API key: `Authorization: Bearer <key>`. ' +
        'Errors are problem details (RFC 9457) with a stable `code` and the `requestId`.',
    )
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'API key',
      description: 'An API key; also as X-API-Key',
    })
    .build();
  const document = () => nameProblemType(describeProbes(SwaggerModule.createDocument(app, config)));
  SwaggerModule.setup('docs', app, document, { ui: false, raw: ['json'], jsonDocumentUrl: 'docs-json' });
}

const OPERATIONS: Readonly<Record<string, string>> = {
  '/health': 'State of the process and of what it depends on',
  '/health/live': 'Liveness: the process works; never asks a dependency',
  '/health/ready': 'Readiness: requests are welcome; 503 while draining',
  '/health/startup': 'Startup: the process has started',
  '/metrics': 'Figures for Prometheus',
};

/** The probes and figures come from libraries that know nothing of OpenAPI. */
function describeProbes(document: OpenAPIObject): OpenAPIObject {
  for (const [path, summary] of Object.entries(OPERATIONS)) {
    const operation = document.paths[path]?.get;
    if (!operation) continue;
    operation.summary = summary;
    operation.tags = ['Operations'];
    if (path !== '/metrics') operation.responses['503'] = { description: 'Not so; the body says why' };
  }
  return document;
}

/** Nest describes every answer as plain JSON. */
function nameProblemType(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.put, path.patch, path.delete]) {
      for (const [status, response] of Object.entries(operation?.responses ?? {})) {
        if (!response || '$ref' in response || Number(status) < 400) continue;
        const [content] = Object.values(response.content ?? {});
        if (content) response.content = { [PROBLEM_MEDIA_TYPE]: content };
      }
    }
  }
  return document;
}
