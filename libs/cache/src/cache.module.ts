import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './cache.module-definition.js';
import { Cache } from './cache.service.js';
import { CACHE_OPTIONS } from './cache.tokens.js';
import { featureModule, optionsWithFeatures, type CacheFeatures } from './nest/cache-features.js';
import { CacheHealthIndicator } from './nest/cache-health.indicator.js';
import { DecoratedMethods } from './nest/decorated-methods.js';

/**
 * Gives the application one {@link Cache}: `forRoot` or `forRootAsync` once, and `forFeature` where a module wants
 * namespaces injected. Global unless `isGlobal: false` says otherwise.
 */
@Module({
  providers: [
    {
      provide: CACHE_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN, ModulesContainer],
      useFactory: optionsWithFeatures,
    },
    Cache,
    CacheHealthIndicator,
    DecoratedMethods,
  ],
  exports: [Cache, CacheHealthIndicator],
})
export class CacheModule extends ConfigurableModuleClass {
  /**
   * Makes namespaces injectable with `@InjectCache(name)`: by name when they are declared elsewhere, or with options,
   * which declares them. The same namespace may be declared in several places with the same options.
   * @param imports modules that export the cache; needed only where `forRoot` has `isGlobal: false`.
   */
  static forFeature(features: CacheFeatures, imports: ModuleMetadata['imports'] = []): DynamicModule {
    return featureModule(features, imports);
  }
}
