import { Module } from '@nestjs/common';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './metrics.module-definition.js';
import { parseMetricsOptions } from './metrics.options.js';
import { MetricsService } from './metrics.service.js';
import { METRICS_OPTIONS } from './metrics.tokens.js';

/** `MetricsModule.forRoot({ isGlobal, path, ...options })` or `forRootAsync({ isGlobal, path, inject, useFactory })`. */
@Module({
  providers: [
    { provide: METRICS_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseMetricsOptions },
    MetricsService,
  ],
  exports: [MetricsService],
})
export class MetricsModule extends ConfigurableModuleClass {}
