import { Module } from '@nestjs/common';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './feature-flags.module-definition.js';
import { parseFeatureFlagsOptions } from './feature-flags.options.js';
import { FeatureFlags } from './feature-flags.service.js';
import { FEATURE_FLAGS_OPTIONS } from './feature-flags.tokens.js';

/** The `FeatureFlags` service. `forRoot` and `forRootAsync`; `isGlobal` is an extra. */
@Module({
  providers: [
    { provide: FEATURE_FLAGS_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseFeatureFlagsOptions },
    FeatureFlags,
  ],
  exports: [FeatureFlags],
})
export class FeatureFlagsModule extends ConfigurableModuleClass {}
