import { Module } from '@nestjs/common';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './cdn.module-definition.js';
import { parseCdnOptions } from './cdn.options.js';
import { Cdn } from './cdn.service.js';
import { CDN_OPTIONS } from './cdn.tokens.js';
import { MountedOrigins } from './mounted-origins.js';

/**
 * Serves folders from a Nest application and gives it {@link Cdn}: `CdnModule.forRoot({ origins: [{ root, prefix }] })`
 * or `forRootAsync({ inject, useFactory })`. On Fastify a request for an asset ends before hooks, pipes and guards of
 * routes; on Express it is a middleware.
 */
@Module({
  providers: [
    { provide: CDN_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseCdnOptions },
    Cdn,
    MountedOrigins,
  ],
  exports: [Cdn],
})
export class CdnModule extends ConfigurableModuleClass {}
