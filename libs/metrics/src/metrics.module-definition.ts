import { ConfigurableModuleBuilder } from '@nestjs/common';
import { createMetricsController } from './metrics.controller.js';
import { type MetricsOptionsInput } from './metrics.options.js';
import { DEFAULT_METRICS_PATH } from './metrics.tokens.js';

/** What shapes the module itself; it stands beside the options, also in `forRootAsync`. */
export interface MetricsModuleExtras {
  /** Makes `MetricsService` available everywhere. @default false */
  readonly isGlobal?: boolean;
  /** Path of the scrape endpoint, or false for none. @default '/metrics' */
  readonly path?: string | false;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<MetricsOptionsInput>({ moduleName: 'Metrics' })
    .setClassMethodName('forRoot')
    .setExtras<MetricsModuleExtras>(
      { isGlobal: false, path: DEFAULT_METRICS_PATH },
      (definition, { isGlobal, path }) => ({
        ...definition,
        global: isGlobal === true,
        controllers: path === undefined || path === false ? [] : [createMetricsController(path)],
      }),
    )
    .build();
