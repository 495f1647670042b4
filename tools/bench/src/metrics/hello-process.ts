import 'reflect-metadata';

import type { AddressInfo } from 'node:net';

import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { MetricsService, registerRequestTiming } from '@peregrine/metrics';
import type { FastifyInstance } from 'fastify';
import { Counter, Histogram, Registry } from 'prom-client';

import { bareModule, timedModule } from './hello-modules.ts';
import type { ServiceId } from './hello-servers.ts';

const service = process.argv[2] as ServiceId;
// The others must not have its heap.
const full = service === 'full' ? await import('./hello-full.ts') : undefined;
const isTimed = service === 'timed' || service === 'full';
const root = full?.fullModule() ?? (isTimed ? timedModule() : bareModule());
const adapter = new FastifyAdapter(full?.FASTIFY_OPTIONS ?? {});
const app = await NestFactory.create<NestFastifyApplication>(root, adapter, { logger: false });
const fastify = app.getHttpAdapter().getInstance();
if (isTimed) registerRequestTiming(fastify, app.get(MetricsService));
full?.protect(app);
if (service === 'prom-client') countWithPromClient(fastify);
await app.listen(0, '127.0.0.1');
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send?.((app.getHttpServer().address() as AddressInfo).port);

/** What its users write: one histogram and one counter by method, route and status. */
function countWithPromClient(server: FastifyInstance): void {
  const registers = [new Registry()];
  const labelNames = ['method', 'route', 'status'];
  const duration = new Histogram({ name: 'duration', help: 'h', labelNames, registers });
  const requests = new Counter({ name: 'requests_total', help: 'h', labelNames, registers });
  server.addHook('onResponse', (request, reply, done) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'unmatched',
      status: reply.statusCode,
    };
    duration.observe(labels, reply.elapsedTime / 1_000);
    requests.inc(labels);
    done();
  });
}
