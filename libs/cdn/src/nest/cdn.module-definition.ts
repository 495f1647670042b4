import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CdnOptionsInput } from './cdn.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CdnOptionsInput>({ moduleName: 'Cdn' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
