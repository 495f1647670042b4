import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { registerOrigin } from '../fastify/register-origin.js';
import type { Origin } from '../origin/origin.js';
import type { CdnOptions } from './cdn.options.js';
import { Cdn } from './cdn.service.js';
import { CDN_OPTIONS } from './cdn.tokens.js';

/** Puts the origins before the routes of the application. */
@Injectable()
export class MountedOrigins implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly cdn: Cdn,
    @Inject(CDN_OPTIONS) private readonly options: CdnOptions,
  ) {}

  onModuleInit(): void {
    // An application context without a server, such as a command, has URLs and manifest all the same.
    const { httpAdapter: adapter } = this.host;
    for (const origin of this.cdn.origins) {
      if (adapter?.getType() === 'fastify') {
        registerOrigin(adapter.getInstance<FastifyInstance>(), origin, this.options);
      } else if (adapter) {
        adapter.use(middlewareOf(origin));
      }
    }
  }
}

function middlewareOf(origin: Origin) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const { url = '/' } = request;
    if (url === origin.prefix || url.startsWith(`${origin.prefix}/`)) origin.listener(request, response);
    else next();
  };
}
