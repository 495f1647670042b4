import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { BOOTSTRAP_ADMIN_KEY } from './access.tokens.js';
import { ApiKeyService } from './api-key.service.js';
import { ApiKeysController } from './api-keys.controller.js';

/** API keys, and the guard before every route. Needs the content module's services in `imports`. */
@Module({})
export class AccessModule {
  static forRoot(options: {
    bootstrapAdminKey: string | undefined;
    imports: DynamicModule[];
  }): DynamicModule {
    return {
      module: AccessModule,
      imports: options.imports,
      controllers: [ApiKeysController],
      providers: [
        { provide: BOOTSTRAP_ADMIN_KEY, useValue: options.bootstrapAdminKey },
        ApiKeyService,
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
      exports: [ApiKeyService],
    };
  }
}
