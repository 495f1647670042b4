import { ConfigurableModuleBuilder } from '@nestjs/common';
import { type QueryOptimizerOptionsInput } from './query-optimizer.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<QueryOptimizerOptionsInput>({ moduleName: 'QueryOptimizer' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
