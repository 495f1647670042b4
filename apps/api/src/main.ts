import 'reflect-metadata';
import multipart from '@fastify/multipart';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { OPERATIONS_PATHS, registerRequestQueries, runService } from '@peregrine/runtime';
import { AppModule } from './app/app.module.js';
import { fastifyOptions, OPERATOR_PATHS, registerRequestId } from './app/http-server.js';
import { registerOpenApi } from './app/openapi.js';
import { registerEdgeHeaders } from './cdn/edge-headers.js';
import { registerConsole } from './console/register-console.js';
import { registerTaskBoard } from './dashboard/task-board.js';
import { replyWithProblem } from './problem/problem.reply.js';
import { registerProtection } from './protection/register-protection.js';
import { registerRawBody } from './files/raw-body.js';

await runService({
  name: 'api',
  module: (settings) => AppModule.forRoot(settings),
  fastify: fastifyOptions,
  onFrameworkError: replyWithProblem,
  servedUnderPressure: OPERATOR_PATHS,
  configure: async (app, settings) => {
    const fastify = app.getHttpAdapter().getInstance();
    registerRequestId(fastify);
    registerProtection(app, settings);
    registerRawBody(fastify);
    registerRequestQueries(fastify, app.get(QueryOptimizer));
    registerEdgeHeaders(fastify, settings.purge.apiTtlSeconds);
    // The storage counts the bytes of each file; names keep their folders.
    await app.register(multipart, {
      limits: { fileSize: Infinity, fields: 20, headerPairs: 50 },
      preservePath: true,
    });
    app.setGlobalPrefix('api/v1', { exclude: [...OPERATIONS_PATHS] });
    await registerTaskBoard(app);
    await registerConsole(app, settings);
    if (settings.http.publicDocs) registerOpenApi(app);
  },
});
