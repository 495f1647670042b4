import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { registerOrigin } from '../fastify/register-origin.js';
import { originMiddleware } from '../middleware/origin-middleware.js';
import type { CdnOptions } from './cdn.options.js';
import { Cdn } from './cdn.service.js';
import { CDN_OPTIONS } from './cdn.tokens.js';

/** Puts the origins before the routes of the application. */
@Injectable()
export class MountedOrigins {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly cdn: Cdn,
    @Inject(CDN_OPTIONS) private readonly options: CdnOptions,
  ) {}

  /** To be called once, after the application's own middleware and before its routes. */
  mount(): void {
    // An application context without a server, such as a command, has URLs and manifest all the same.
    const { httpAdapter: adapter } = this.host;
    for (const origin of this.cdn.origins) {
      if (adapter?.getType() === 'fastify') {
        registerOrigin(adapter.getInstance<FastifyInstance>(), origin, this.options);
      } else if (adapter) {
        adapter.use(originMiddleware(origin, this.options));
      }
    }
  }
}
