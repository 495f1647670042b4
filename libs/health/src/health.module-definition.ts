import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { HealthOptionsInput } from './health.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<HealthOptionsInput>({ moduleName: 'Health' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
