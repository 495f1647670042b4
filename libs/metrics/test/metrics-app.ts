import { once } from 'node:events';
import { Readable } from 'node:stream';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Module,
  Param,
  Post,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import {
  METRICS_PATHS,
  MetricsModule,
  type MetricsModuleExtras,
  type MetricsOptionsInput,
  MetricsService,
  registerRequestTiming,
  type RequestTimingHandle,
  type RequestTimingOptions,
} from '../src/index.js';
import { type ParsedFamily, parseExposition } from './exposition-parser.js';

/** What the routes of the test need from the outside: a stream that the test itself ends. */
export const openStreams: Readable[] = [];

// Decorated signatures need values, and Fastify's types are interfaces.
type Request = Pick<FastifyRequest, 'timing'>;
type Reply = FastifyReply;

@Controller('things')
class ThingsController {
  @Get('thrown')
  thrown(): never {
    throw new Error('boom');
  }

  @Get('not-modified')
  @HttpCode(304)
  @Header('ETag', '"a"')
  notModified(): void {
    return;
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['a', 'b', 'c']));
  }

  @Get('endless')
  endless(): StreamableFile {
    const stream = new Readable({ read: () => undefined });
    stream.push('first');
    openStreams.push(stream);
    return new StreamableFile(stream);
  }

  @Get('phases')
  async phases(@Req() request: Request): Promise<string> {
    request.timing.addTiming('auth', 1.5, 'key "x"');
    return request.timing.measure('cache', () => Promise.resolve('ok'));
  }

  @Get('concurrent')
  async concurrent(@Req() { timing }: Request): Promise<{ done: number }> {
    const turns = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    };
    const work = ['database', 'database', 'cache', 'database'].map((it) => timing.measure(it, turns));
    await Promise.all(work);
    return { done: work.length };
  }

  @Get('own-header')
  @Header('Server-Timing', 'edge;dur=1')
  ownHeader(): string {
    return 'ok';
  }

  @Get('hijacked')
  hijacked(@Res() reply: Reply): void {
    reply.hijack();
    reply.raw.end('raw');
  }

  @Post()
  create(): { id: number } {
    return { id: 1 };
  }

  @Get(':id')
  one(@Param('id') id: string): { id: string } {
    return { id };
  }
}

/** A running app on a free port of 127.0.0.1, spoken to by real HTTP. */
export interface MetricsApp {
  readonly url: string;
  readonly metrics: MetricsService;
  scrape(): Promise<Map<string, ParsedFamily>>;
  close(): Promise<void>;
}

/** Starts an app as apps/api does: timing first, then a global prefix that leaves the scrape endpoint out. */
export async function startApp(
  options: MetricsOptionsInput & MetricsModuleExtras = {},
  timing: RequestTimingOptions = {},
): Promise<MetricsApp> {
  @Module({ imports: [MetricsModule.forRoot(options)], controllers: [ThingsController] })
  class AppModule {}

  const timed: { handle?: RequestTimingHandle } = {};
  const adapter = new FastifyAdapter({
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      timed.handle?.onFrameworkError(request, reply);
      void reply.send(error);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false });
  const metrics = app.get(MetricsService);
  timed.handle = registerRequestTiming(adapter.getInstance(), metrics, {
    onSlowRequest: () => undefined,
    ...timing,
  });
  app.enableCors();
  app.setGlobalPrefix('api/v1', { exclude: [...METRICS_PATHS] });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    url,
    metrics,
    scrape: async () => parseExposition(await (await fetch(`${url}/metrics`)).text()),
    close: () => app.close(),
  };
}

/** Resolves when a condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await once(AbortSignal.timeout(5), 'abort');
}
