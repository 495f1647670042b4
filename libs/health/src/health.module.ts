import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './health.module-definition.js';
import { parseHealthOptions } from './health.options.js';
import { HealthService } from './health.service.js';
import { HEALTH_OPTIONS } from './health.tokens.js';

/** The four probes and the `HealthService` behind them. `forRoot` and `forRootAsync`; `isGlobal` is an extra. */
@Module({
  controllers: [HealthController],
  providers: [
    { provide: HEALTH_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseHealthOptions },
    HealthService,
  ],
  exports: [HealthService],
})
export class HealthModule extends ConfigurableModuleClass {}
