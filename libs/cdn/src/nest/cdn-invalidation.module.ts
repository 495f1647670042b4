import {
  ConfigurableModuleBuilder,
  Inject,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CdnInvalidation } from '../invalidation/cdn-invalidation.js';
import {
  createInvalidation,
  type CreatedInvalidation,
  type CreateInvalidationOptions,
} from '../invalidation/create-invalidation.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CreateInvalidationOptions>({ moduleName: 'CdnInvalidation' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();

const CREATED_INVALIDATION = Symbol('@peregrine/cdn:created-invalidation');

/**
 * Gives a Nest application {@link CdnInvalidation}, delivered in this process:
 * `CdnInvalidationModule.forRoot({ providers: [{ type: 'fastly', … }] })`.
 */
@Module({
  providers: [
    {
      provide: CREATED_INVALIDATION,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: CreateInvalidationOptions): CreatedInvalidation => {
        const log = new Logger('CdnInvalidation');
        return createInvalidation({ warn: (message) => log.warn(message), ...options });
      },
    },
    {
      provide: CdnInvalidation,
      inject: [CREATED_INVALIDATION],
      useFactory: (created: CreatedInvalidation) => created.invalidation,
    },
  ],
  exports: [CdnInvalidation],
})
export class CdnInvalidationModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(@Inject(CREATED_INVALIDATION) private readonly created: CreatedInvalidation) {
    super();
  }

  /** Needs Nest's shutdown hooks, or `app.close()`. */
  async onApplicationShutdown(): Promise<void> {
    await this.created.close();
  }
}
