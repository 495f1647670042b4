import { Module, type NestModule } from '@nestjs/common';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './cdn.module-definition.js';
import { parseCdnOptions } from './cdn.options.js';
import { Cdn } from './cdn.service.js';
import { CDN_OPTIONS } from './cdn.tokens.js';
import { MountedOrigins } from './mounted-origins.js';

/**
 * Serves folders from a Nest application and gives it {@link Cdn}: `CdnModule.forRoot({ origins: [{ root, prefix }] })`
 * or `forRootAsync({ inject, useFactory })`. A request for an asset ends before hooks, pipes and guards of routes: on
 * Fastify in a route of its own, on Express in a middleware that runs after those of `app.use`.
 */
@Module({
  providers: [
    { provide: CDN_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseCdnOptions },
    Cdn,
    MountedOrigins,
  ],
  exports: [Cdn],
})
export class CdnModule extends ConfigurableModuleClass implements NestModule {
  constructor(private readonly mounted: MountedOrigins) {
    super();
  }

  /** Called where a module sets up its middleware: before the routes, which Express asks in the order of their arrival. */
  configure(): void {
    this.mounted.mount();
  }
}
