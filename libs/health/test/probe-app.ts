import { Controller, Get, type INestApplication, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { HEALTH_PATHS, type HealthCheck, HealthModule } from '../src/index.js';

/** A request's way through the fixture: told when it arrives, answered when released. */
export class Gate {
  static #arrivals = new EventEmitter();
  static #waiting: (() => void)[] = [];
  static poolClosed = false;

  static arrival(): Promise<void> {
    return new Promise((resolve) => Gate.#arrivals.once('arrival', resolve));
  }

  static pass(): Promise<void> {
    return new Promise((resolve) => {
      Gate.#waiting.push(resolve);
      Gate.#arrivals.emit('arrival');
    });
  }

  static open(): void {
    for (const release of Gate.#waiting.splice(0)) release();
  }
}

@Controller('work')
class WorkController implements OnModuleDestroy {
  @Get()
  async work(): Promise<{ done: boolean }> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#answer();
  }

  @Get('slow')
  async slow(): Promise<{ done: boolean }> {
    await Gate.pass();
    return this.#answer();
  }

  /** Stands for a pool that closes with its module, before Nest closes the listener. */
  onModuleDestroy(): void {
    Gate.poolClosed = true;
  }

  #answer(): { done: boolean } {
    if (Gate.poolClosed) throw new Error('The pool is closed');
    return { done: true };
  }
}

/** A Nest application on Fastify with a global prefix, the probes outside of it, and some work to do. */
export async function createProbeApp(checks: HealthCheck[]): Promise<NestFastifyApplication> {
  Gate.poolClosed = false;
  @Module({ imports: [HealthModule.forRoot({ checks })], controllers: [WorkController] })
  class ProbeAppModule {}
  const app = await NestFactory.create<NestFastifyApplication>(
    ProbeAppModule,
    new FastifyAdapter({ return503OnClosing: false }),
    { logger: false },
  );
  app.setGlobalPrefix('api/v1', { exclude: [...HEALTH_PATHS] });
  return app;
}

export function portOf(app: INestApplication): number {
  return (app.getHttpServer() as { address(): AddressInfo }).address().port;
}
