import 'reflect-metadata';

import { hash } from 'node:crypto';
import type { AddressInfo } from 'node:net';

import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  type Provider,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { MetricsModule, MetricsService, registerRequestTiming } from '@peregrine/metrics';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Histogram, Registry } from 'prom-client';

import { API_KEY, type ServiceId } from './hello-servers.ts';

// Node strips types and knows no decorators, so they are called as what they are.
class HelloController {
  hello(): { message: string } {
    return { message: 'hello' };
  }
}
Get('hello')(
  HelloController.prototype,
  'hello',
  Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello') as PropertyDescriptor,
);
Controller()(HelloController);

const digestOf = (key: string) => hash('sha256', key, 'base64url');
const CALLERS = new Map([[digestOf(API_KEY), { scopes: ['content:read'] }]]);

/** As the api's guard with the key in memory: hash, look up, compare the scope. */
class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.getArgByIndex<FastifyRequest>(0);
    return request.timing.measure('auth', async () => {
      const [, key = ''] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
      const caller = await Promise.resolve(CALLERS.get(digestOf(key)));
      return caller?.scopes.includes('content:read') === true;
    });
  }
}

class HelloModule {}

const service = process.argv[2] as ServiceId;
const isOurs = service === 'timed' || service === 'full';
const guard: Provider[] = service === 'full' ? [{ provide: APP_GUARD, useClass: KeyGuard }] : [];
const root: DynamicModule = {
  module: HelloModule,
  imports: isOurs ? [MetricsModule.forRoot({ path: false })] : [],
  controllers: [HelloController],
  providers: guard,
};
const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
const fastify = app.getHttpAdapter().getInstance();
if (isOurs) registerRequestTiming(fastify, app.get(MetricsService));
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
