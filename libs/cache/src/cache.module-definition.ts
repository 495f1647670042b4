import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CacheOptionsInput } from './cache.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CacheOptionsInput>({ moduleName: 'Cache' })
    .setClassMethodName('forRoot')
    // Global unless told otherwise: the decorators and `forFeature` of every module need the one cache.
    .setExtras({ isGlobal: true }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
