import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { FeatureFlagsOptionsInput } from './feature-flags.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<FeatureFlagsOptionsInput>({ moduleName: 'FeatureFlags' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
