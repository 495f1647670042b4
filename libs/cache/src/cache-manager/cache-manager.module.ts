import { Cache as CacheManager, CACHE_MANAGER } from '@nestjs/cache-manager';
import { ConfigurableModuleBuilder, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { CacheNamespace } from '../cache-namespace.js';
import { CacheModule } from '../cache.module.js';
import { getCacheNamespaceToken } from '../nest/inject-cache.js';
import { createCacheManager, type CacheManagerOptions } from './cache-manager.js';

/** The namespace of cache-manager, unless another one is named. Its readers get copies, which they may change. */
const OWN_NAMESPACE = { name: 'cache-manager', ttlMs: 3_600_000, clone: true };

interface Extras {
  /** Whether modules get `CACHE_MANAGER` without importing this one. @default false */
  readonly isGlobal?: boolean;
  /**
   * A namespace that is declared elsewhere. Without `clone: true` there its values are frozen.
   * @default 'cache-manager', which is declared here
   */
  readonly namespace?: string;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<CacheManagerOptions>({
  moduleName: 'PeregrineCacheManager',
})
  .setClassMethodName('forRoot')
  .setExtras<Extras>({ isGlobal: false, namespace: OWN_NAMESPACE.name }, withNamespace)
  .build();

function withNamespace(definition: DynamicModule, { isGlobal = false, namespace }: Extras): DynamicModule {
  const own = namespace === undefined || namespace === OWN_NAMESPACE.name;
  const manager: Provider = {
    provide: CACHE_MANAGER,
    inject: [getCacheNamespaceToken(namespace ?? OWN_NAMESPACE.name), MODULE_OPTIONS_TOKEN],
    useFactory: (cached: CacheNamespace, options: CacheManagerOptions) => createCacheManager(cached, options),
  };
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), CacheModule.forFeature(own ? OWN_NAMESPACE : namespace)],
    providers: [...(definition.providers ?? []), manager],
  };
}

/**
 * Stands where an application had `CacheModule.register()` of `@nestjs/cache-manager`: gives `CACHE_MANAGER` (and the class
 * `Cache` of that package as a token), and so `CacheInterceptor`, `@CacheKey` and `@CacheTTL`, on the tiers of
 * `CacheModule.forRoot()` of `@peregrine/cache`, which has to be imported once beside it.
 */
@Module({
  providers: [{ provide: CacheManager, useExisting: CACHE_MANAGER }],
  exports: [CACHE_MANAGER, CacheManager],
})
export class CacheManagerModule extends ConfigurableModuleClass {}
